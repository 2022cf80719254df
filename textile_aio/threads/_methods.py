"""The calls of ``threads.pb.API`` that clients make."""

from __future__ import annotations

from textile_aio._proto.threads import pb
from textile_aio._rpc.method import Method

_SERVICE = "/threads.pb.API"

GET_TOKEN = Method(f"{_SERVICE}/GetToken", pb.GetTokenRequest, pb.GetTokenReply)
NEW_DB = Method(f"{_SERVICE}/NewDB", pb.NewDbRequest, pb.NewDbReply)
NEW_DB_FROM_ADDR = Method(f"{_SERVICE}/NewDBFromAddr", pb.NewDbFromAddrRequest, pb.NewDbReply)
LIST_DBS = Method(f"{_SERVICE}/ListDBs", pb.ListDBsRequest, pb.ListDBsReply, safe=True)
GET_DB_INFO = Method(f"{_SERVICE}/GetDBInfo", pb.GetDbInfoRequest, pb.GetDbInfoReply, safe=True)
DELETE_DB = Method(f"{_SERVICE}/DeleteDB", pb.DeleteDbRequest, pb.DeleteDbReply)
