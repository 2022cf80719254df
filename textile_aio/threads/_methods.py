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

NEW_COLLECTION = Method(f"{_SERVICE}/NewCollection", pb.NewCollectionRequest, pb.NewCollectionReply)
UPDATE_COLLECTION = Method(
    f"{_SERVICE}/UpdateCollection",
    pb.UpdateCollectionRequest,
    pb.UpdateCollectionReply,
)
DELETE_COLLECTION = Method(
    f"{_SERVICE}/DeleteCollection",
    pb.DeleteCollectionRequest,
    pb.DeleteCollectionReply,
)
GET_COLLECTION_INFO = Method(
    f"{_SERVICE}/GetCollectionInfo",
    pb.GetCollectionInfoRequest,
    pb.GetCollectionInfoReply,
    safe=True,
)
GET_COLLECTION_INDEXES = Method(
    f"{_SERVICE}/GetCollectionIndexes",
    pb.GetCollectionIndexesRequest,
    pb.GetCollectionIndexesReply,
    safe=True,
)
LIST_COLLECTIONS = Method(
    f"{_SERVICE}/ListCollections",
    pb.ListCollectionsRequest,
    pb.ListCollectionsReply,
    safe=True,
)

CREATE = Method(f"{_SERVICE}/Create", pb.CreateRequest, pb.CreateReply)
SAVE = Method(f"{_SERVICE}/Save", pb.SaveRequest, pb.SaveReply)
VERIFY = Method(f"{_SERVICE}/Verify", pb.VerifyRequest, pb.VerifyReply, safe=True)
DELETE = Method(f"{_SERVICE}/Delete", pb.DeleteRequest, pb.DeleteReply)
HAS = Method(f"{_SERVICE}/Has", pb.HasRequest, pb.HasReply, safe=True)
FIND = Method(f"{_SERVICE}/Find", pb.FindRequest, pb.FindReply, safe=True)
FIND_BY_ID = Method(f"{_SERVICE}/FindByID", pb.FindByIdRequest, pb.FindByIdReply, safe=True)

LISTEN = Method(f"{_SERVICE}/Listen", pb.ListenRequest, pb.ListenReply)

READ_TRANSACTION = Method(
    f"{_SERVICE}/ReadTransaction",
    pb.ReadTransactionRequest,
    pb.ReadTransactionReply,
)
WRITE_TRANSACTION = Method(
    f"{_SERVICE}/WriteTransaction",
    pb.WriteTransactionRequest,
    pb.WriteTransactionReply,
)
