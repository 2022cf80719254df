"""The calls of ``api.hubd.pb.APIService`` that clients make."""

from __future__ import annotations

from textile_aio._proto.api.hubd import pb
from textile_aio._rpc.method import Method

_SERVICE = "/api.hubd.pb.APIService"

BUILD_INFO = Method(f"{_SERVICE}/BuildInfo", pb.BuildInfoRequest, pb.BuildInfoResponse, safe=True)
SIGN_UP = Method(f"{_SERVICE}/Signup", pb.SignupRequest, pb.SignupResponse)
SIGN_IN = Method(f"{_SERVICE}/Signin", pb.SigninRequest, pb.SigninResponse)
# A second time the session is unknown, so a repetition would turn success into a refusal.
SIGN_OUT = Method(f"{_SERVICE}/Signout", pb.SignoutRequest, pb.SignoutResponse)
SESSION_INFO = Method(
    f"{_SERVICE}/GetSessionInfo", pb.GetSessionInfoRequest, pb.GetSessionInfoResponse, safe=True
)
IDENTITY = Method(f"{_SERVICE}/GetIdentity", pb.GetIdentityRequest, pb.GetIdentityResponse, safe=True)
CREATE_KEY = Method(f"{_SERVICE}/CreateKey", pb.CreateKeyRequest, pb.CreateKeyResponse)
LIST_KEYS = Method(f"{_SERVICE}/ListKeys", pb.ListKeysRequest, pb.ListKeysResponse, safe=True)
INVALIDATE_KEY = Method(
    f"{_SERVICE}/InvalidateKey", pb.InvalidateKeyRequest, pb.InvalidateKeyResponse, safe=True
)
CREATE_ORG = Method(f"{_SERVICE}/CreateOrg", pb.CreateOrgRequest, pb.CreateOrgResponse)
ORG = Method(f"{_SERVICE}/GetOrg", pb.GetOrgRequest, pb.GetOrgResponse, safe=True)
LIST_ORGS = Method(f"{_SERVICE}/ListOrgs", pb.ListOrgsRequest, pb.ListOrgsResponse, safe=True)
REMOVE_ORG = Method(f"{_SERVICE}/RemoveOrg", pb.RemoveOrgRequest, pb.RemoveOrgResponse)
INVITE_TO_ORG = Method(f"{_SERVICE}/InviteToOrg", pb.InviteToOrgRequest, pb.InviteToOrgResponse)
LEAVE_ORG = Method(f"{_SERVICE}/LeaveOrg", pb.LeaveOrgRequest, pb.LeaveOrgResponse)
SETUP_BILLING = Method(f"{_SERVICE}/SetupBilling", pb.SetupBillingRequest, pb.SetupBillingResponse)
BILLING_SESSION = Method(
    f"{_SERVICE}/GetBillingSession", pb.GetBillingSessionRequest, pb.GetBillingSessionResponse
)
LIST_BILLING_USERS = Method(
    f"{_SERVICE}/ListBillingUsers", pb.ListBillingUsersRequest, pb.ListBillingUsersResponse, safe=True
)
IS_USERNAME_AVAILABLE = Method(
    f"{_SERVICE}/IsUsernameAvailable",
    pb.IsUsernameAvailableRequest,
    pb.IsUsernameAvailableResponse,
    safe=True,
)
IS_ORG_NAME_AVAILABLE = Method(
    f"{_SERVICE}/IsOrgNameAvailable", pb.IsOrgNameAvailableRequest, pb.IsOrgNameAvailableResponse, safe=True
)
DESTROY_ACCOUNT = Method(f"{_SERVICE}/DestroyAccount", pb.DestroyAccountRequest, pb.DestroyAccountResponse)
