"""The calls of ``threads.net.pb.API`` that clients make."""

from __future__ import annotations

from textile_aio._proto.threads.net import pb
from textile_aio._rpc.method import Method

_SERVICE = "/threads.net.pb.API"

GET_HOST_ID = Method(f"{_SERVICE}/GetHostID", pb.GetHostIdRequest, pb.GetHostIdReply, safe=True)
GET_TOKEN = Method(f"{_SERVICE}/GetToken", pb.GetTokenRequest, pb.GetTokenReply)
CREATE_THREAD = Method(f"{_SERVICE}/CreateThread", pb.CreateThreadRequest, pb.ThreadInfoReply)
ADD_THREAD = Method(f"{_SERVICE}/AddThread", pb.AddThreadRequest, pb.ThreadInfoReply)
GET_THREAD = Method(f"{_SERVICE}/GetThread", pb.GetThreadRequest, pb.ThreadInfoReply, safe=True)
PULL_THREAD = Method(f"{_SERVICE}/PullThread", pb.PullThreadRequest, pb.PullThreadReply, safe=True)
DELETE_THREAD = Method(f"{_SERVICE}/DeleteThread", pb.DeleteThreadRequest, pb.DeleteThreadReply)
ADD_REPLICATOR = Method(f"{_SERVICE}/AddReplicator", pb.AddReplicatorRequest, pb.AddReplicatorReply)
CREATE_RECORD = Method(f"{_SERVICE}/CreateRecord", pb.CreateRecordRequest, pb.NewRecordReply)
# A record that the log has already is passed over, so sending one twice does no harm.
ADD_RECORD = Method(f"{_SERVICE}/AddRecord", pb.AddRecordRequest, pb.AddRecordReply, safe=True)
GET_RECORD = Method(f"{_SERVICE}/GetRecord", pb.GetRecordRequest, pb.GetRecordReply, safe=True)
SUBSCRIBE = Method(f"{_SERVICE}/Subscribe", pb.SubscribeRequest, pb.NewRecordReply)
