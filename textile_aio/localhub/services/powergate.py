"""``powergate.user.v1.UserService``: wallets, of a hub without Filecoin (spec: filecoin-and-admin §1.1)."""

from __future__ import annotations

from grpclib.const import Cardinality

from textile_aio._proto.powergate.user import v1 as pb
from textile_aio.errors import RemoteError, StatusCode, Unimplemented
from textile_aio.localhub.call import Call
from textile_aio.localhub.routes import Service


def service() -> Service:
    """Every method, refused in upstream's words; a bucket daemon has not even those."""
    base = pb.UserServiceBase
    return Service(
        base,
        {
            path: _disabled if kind.cardinality is Cardinality.UNARY_UNARY else _unserved
            for path, kind in base().__mapping__().items()
        },
    )


async def _disabled(call: Call, request: object) -> None:
    raise RemoteError("Powergate isn't enabled in Hub", code=StatusCode.INTERNAL)


async def _unserved(call: Call, *_: object) -> None:
    name = call.method.rpartition("/")[2]
    raise Unimplemented(f"method {name} not implemented", code=StatusCode.UNIMPLEMENTED)
