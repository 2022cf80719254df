"""The calls of ``api.bucketsd.pb.APIService`` that clients make."""

from __future__ import annotations

from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.method import Method
from textile_aio.buckets import _hot  # noqa: F401 - importing it registers the short way for chunks

_SERVICE = "/api.bucketsd.pb.APIService"

LIST = Method(f"{_SERVICE}/List", pb.ListRequest, pb.ListResponse, safe=True)
CREATE = Method(f"{_SERVICE}/Create", pb.CreateRequest, pb.CreateResponse)
ROOT = Method(f"{_SERVICE}/Root", pb.RootRequest, pb.RootResponse, safe=True)
LINKS = Method(f"{_SERVICE}/Links", pb.LinksRequest, pb.LinksResponse, safe=True)
LIST_PATH = Method(f"{_SERVICE}/ListPath", pb.ListPathRequest, pb.ListPathResponse, safe=True)
PUSH_PATH = Method(f"{_SERVICE}/PushPath", pb.PushPathRequest, pb.PushPathResponse)
PUSH_PATHS = Method(f"{_SERVICE}/PushPaths", pb.PushPathsRequest, pb.PushPathsResponse)
PULL_PATH = Method(f"{_SERVICE}/PullPath", pb.PullPathRequest, pb.PullPathResponse)
REMOVE = Method(f"{_SERVICE}/Remove", pb.RemoveRequest, pb.RemoveResponse)
REMOVE_PATH = Method(f"{_SERVICE}/RemovePath", pb.RemovePathRequest, pb.RemovePathResponse)
