"""``api.hubd.pb.APIService``: from messages to accounts and back (spec: hub-accounts §4).

Which callers each method serves was decided before (``access.guards``).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

from textile_aio._proto.api.hubd import pb
from textile_aio.errors import (
    AlreadyExists,
    InvalidInput,
    NotFound,
    PermissionDenied,
    RemoteError,
    StatusCode,
)
from textile_aio.localhub.accounts import AccountCredentials, Accounts
from textile_aio.localhub.accounts.developers import check_name
from textile_aio.localhub.accounts.organisations import Listed
from textile_aio.localhub.accounts.registry import KnownAccount, KnownKey, Organisation
from textile_aio.localhub.call import Call
from textile_aio.localhub.routes import Method, Service
from textile_aio.storage.values import KeyKind, Role

_PREFIX = "/api.hubd.pb.APIService/"
_NANOSECONDS = 1_000_000_000
_KINDS = {0: KeyKind.ACCOUNT, 1: KeyKind.ACCOUNT, 2: KeyKind.USER_GROUP}
_TYPES = {KeyKind.ACCOUNT: pb.KeyType.ACCOUNT, KeyKind.USER_GROUP: pb.KeyType.USER}
_ROLES = {Role.OWNER: "owner", Role.MEMBER: "member"}


class AccountsService:
    """Developers' accounts, their keys and their organisations.

    Args:
        accounts: Decides.
        gateway_url: Where organisations are seen by browsers.
    """

    def __init__(self, accounts: Accounts, gateway_url: Callable[[], str]) -> None:
        self._accounts = accounts
        self._gateway_url = gateway_url

    def service(self) -> Service:
        """What is served."""
        handlers: dict[str, Method] = {
            "BuildInfo": self.build_info,
            "Signup": self.sign_up,
            "Signin": self.sign_in,
            "Signout": self.sign_out,
            "GetSessionInfo": self.get_session_info,
            "GetIdentity": self.get_identity,
            "CreateKey": self.create_key,
            "ListKeys": self.list_keys,
            "InvalidateKey": self.invalidate_key,
            "CreateOrg": self.create_org,
            "GetOrg": self.get_org,
            "ListOrgs": self.list_orgs,
            "RemoveOrg": self.remove_org,
            "InviteToOrg": self.invite_to_org,
            "LeaveOrg": self.leave_org,
            "SetupBilling": self.no_billing,
            "GetBillingSession": self.no_billing,
            "ListBillingUsers": self.no_billing,
            "IsUsernameAvailable": self.is_username_available,
            "IsOrgNameAvailable": self.is_org_name_available,
            "DestroyAccount": self.destroy_account,
        }
        return Service(pb.ApiServiceBase, {_PREFIX + name: handler for name, handler in handlers.items()})

    async def build_info(self, call: Call, request: pb.BuildInfoRequest) -> pb.BuildInfoResponse:
        """Which version this is."""
        return pb.BuildInfoResponse(version=version("textile-aio"))

    async def sign_up(self, call: Call, request: pb.SignupRequest) -> pb.SignupResponse:
        """Make an account, once its address is confirmed."""
        made = await self._accounts.entrance.sign_up(request.username, request.email)
        return pb.SignupResponse(key=made.public_key, session=made.session)

    async def sign_in(self, call: Call, request: pb.SigninRequest) -> pb.SigninResponse:
        """Begin a session, once the account's address is confirmed."""
        made: AccountCredentials = await self._accounts.entrance.sign_in(request.username_or_email)
        return pb.SigninResponse(key=made.public_key, session=made.session)

    async def sign_out(self, call: Call, request: pb.SignoutRequest) -> pb.SignoutResponse:
        """End the session that the call came with."""
        await self._accounts.developers.end_session(call.caller.session)
        return pb.SignoutResponse()

    async def get_session_info(
        self, call: Call, request: pb.GetSessionInfoRequest
    ) -> pb.GetSessionInfoResponse:
        """The developer who acts, for whomever that is."""
        row = (await self._developer(call)).row
        return pb.GetSessionInfoResponse(key=row.public_key, username=row.username, email=row.email)

    async def get_identity(self, call: Call, request: pb.GetIdentityRequest) -> pb.GetIdentityResponse:
        """The private identity of whom the call is for."""
        account = await self._account(call)
        return pb.GetIdentityResponse(identity=self._accounts.developers.identity(account.row))

    async def create_key(self, call: Call, request: pb.CreateKeyRequest) -> pb.CreateKeyResponse:
        """Make an API key."""
        owner = (await self._account(call)).row.public_key
        kind = _KINDS.get(int(request.type))
        if kind is None:
            raise InvalidInput(f"invalid key type: {int(request.type)}", code=StatusCode.INVALID_ARGUMENT)
        made = await self._accounts.keys.create(owner, kind, secure=request.secure)
        return pb.CreateKeyResponse(key_info=_key(made, 0))

    async def list_keys(self, call: Call, request: pb.ListKeysRequest) -> pb.ListKeysResponse:
        """All keys, invalid ones too."""
        owner = (await self._account(call)).row.public_key
        return pb.ListKeysResponse(
            list=[_key(key, threads) for key, threads in await self._accounts.keys.list(owner)]
        )

    async def invalidate_key(self, call: Call, request: pb.InvalidateKeyRequest) -> pb.InvalidateKeyResponse:
        """End a key."""
        owner = (await self._account(call)).row.public_key
        await self._accounts.keys.invalidate(request.key, owner)
        return pb.InvalidateKeyResponse()

    async def create_org(self, call: Call, request: pb.CreateOrgRequest) -> pb.CreateOrgResponse:
        """Make an organisation."""
        founder = (await self._developer(call)).row.public_key
        made = await self._accounts.organisations.create(request.name, founder)
        return pb.CreateOrgResponse(org_info=self._org(made))

    async def get_org(self, call: Call, request: pb.GetOrgRequest) -> pb.GetOrgResponse:
        """The organisation that the call is for."""
        shown = await self._accounts.organisations.show(call.owner)
        return pb.GetOrgResponse(org_info=self._org(shown))

    async def list_orgs(self, call: Call, request: pb.ListOrgsRequest) -> pb.ListOrgsResponse:
        """The developer's organisations."""
        developer = (await self._developer(call)).row.public_key
        found = await self._accounts.organisations.of(developer)
        return pb.ListOrgsResponse(list=[self._org(each) for each in found])

    async def remove_org(self, call: Call, request: pb.RemoveOrgRequest) -> pb.RemoveOrgResponse:
        """Take the organisation away."""
        organisation, developer = await self._membership(call)
        await self._accounts.organisations.remove(organisation, developer)
        return pb.RemoveOrgResponse()

    async def invite_to_org(self, call: Call, request: pb.InviteToOrgRequest) -> pb.InviteToOrgResponse:
        """Invite somebody by mail."""
        organisation, developer = await self._membership(call)
        token = await self._accounts.organisations.invite(organisation, developer, request.email)
        return pb.InviteToOrgResponse(token=token)

    async def leave_org(self, call: Call, request: pb.LeaveOrgRequest) -> pb.LeaveOrgResponse:
        """Leave the organisation."""
        organisation, developer = await self._membership(call)
        await self._accounts.organisations.leave(organisation, developer)
        return pb.LeaveOrgResponse()

    async def no_billing(self, call: Call, request: object) -> object:
        """What a hub without billing says."""
        raise RemoteError("billing is not enabled", code=StatusCode.UNKNOWN)

    async def is_username_available(
        self, call: Call, request: pb.IsUsernameAvailableRequest
    ) -> pb.IsUsernameAvailableResponse:
        """Whether a developer could have this name."""
        check_name(request.username)
        if await self._accounts.developers.is_taken(request.username):
            raise AlreadyExists(
                f"username '{request.username}' is not available", code=StatusCode.FAILED_PRECONDITION
            )
        return pb.IsUsernameAvailableResponse()

    async def is_org_name_available(
        self, call: Call, request: pb.IsOrgNameAvailableRequest
    ) -> pb.IsOrgNameAvailableResponse:
        """Whether an organisation could have this name, and what it would be called in links."""
        slug = await self._accounts.organisations.slug_for(request.name)
        return pb.IsOrgNameAvailableResponse(slug=slug, host=self._gateway_url())

    async def destroy_account(
        self, call: Call, request: pb.DestroyAccountRequest
    ) -> pb.DestroyAccountResponse:
        """Take the developer's account away."""
        developer = (await self._developer(call)).row.public_key
        await self._accounts.closing.close(developer)
        return pb.DestroyAccountResponse()

    async def _account(self, call: Call) -> KnownAccount:
        """The account that the call is for."""
        return await self._known(call.owner)

    async def _developer(self, call: Call) -> KnownAccount:
        """The account of the developer who makes the call."""
        return await self._known(call.caller.account or b"")

    async def _known(self, public_key: bytes) -> KnownAccount:
        """An account.

        Raises:
            NotFound: It was taken away since the call began.
        """
        account = await self._accounts.registry.account(public_key)
        if account is None:
            raise NotFound("Account not found", code=StatusCode.NOT_FOUND)
        return account

    async def _membership(self, call: Call) -> tuple[Organisation, bytes]:
        """The organisation that the call is for, and the member who makes it.

        Raises:
            PermissionDenied: The caller has left since the call began.
        """
        developer = (await self._developer(call)).row.public_key
        organisation = await self._accounts.registry.organisation(call.caller.org)
        if organisation is None or organisation.role(developer) is None:
            raise PermissionDenied("User is not an org member", code=StatusCode.PERMISSION_DENIED)
        return organisation, developer

    def _org(self, shown: Listed) -> pb.OrgInfo:
        return pb.OrgInfo(
            key=shown.account.public_key,
            name=shown.account.name,
            slug=shown.account.username,
            host=self._gateway_url(),
            members=[
                pb.OrgInfoMember(key=member.account, username=username, role=_ROLES[member.role])
                for member, username in shown.members
            ],
            created_at=shown.account.created_at // _NANOSECONDS,
        )


def _key(key: KnownKey, threads: int) -> pb.KeyInfo:
    return pb.KeyInfo(
        key=key.key,
        secret=key.secret,
        type=_TYPES[key.kind],
        valid=key.valid,
        threads=threads,
        secure=key.secure,
    )
