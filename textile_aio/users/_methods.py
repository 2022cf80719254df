"""The calls of ``api.usersd.pb.APIService`` that clients make."""

from __future__ import annotations

from textile_aio._proto.api.usersd import pb
from textile_aio._rpc.method import Method

_SERVICE = "/api.usersd.pb.APIService"

GET_THREAD = Method(f"{_SERVICE}/GetThread", pb.GetThreadRequest, pb.GetThreadResponse, safe=True)
LIST_THREADS = Method(f"{_SERVICE}/ListThreads", pb.ListThreadsRequest, pb.ListThreadsResponse, safe=True)
