"""The calls of ``api.bucketsd.pb.APIService`` that clients make."""

from __future__ import annotations

from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.method import Method
from textile_aio.buckets import _hot  # noqa: F401 - importing it registers the short way for chunks

BRIEF = {"textile-aio-brief": "1"}
"""Asks the hub of this package to leave out what can be filled in here, and most of the access entries that
come with a root; others ignore it."""

_SERVICE = "/api.bucketsd.pb.APIService"

LIST = Method(f"{_SERVICE}/List", pb.ListRequest, pb.ListResponse, safe=True)
CREATE = Method(f"{_SERVICE}/Create", pb.CreateRequest, pb.CreateResponse)
ROOT = Method(f"{_SERVICE}/Root", pb.RootRequest, pb.RootResponse, safe=True)
LINKS = Method(f"{_SERVICE}/Links", pb.LinksRequest, pb.LinksResponse, safe=True)
LIST_PATH = Method(f"{_SERVICE}/ListPath", pb.ListPathRequest, pb.ListPathResponse, safe=True)
PUSH_PATH = Method(f"{_SERVICE}/PushPath", pb.PushPathRequest, pb.PushPathResponse)
PUSH_PATHS = Method(f"{_SERVICE}/PushPaths", pb.PushPathsRequest, pb.PushPathsResponse)
PULL_PATH = Method(f"{_SERVICE}/PullPath", pb.PullPathRequest, pb.PullPathResponse)
PULL_IPFS_PATH = Method(f"{_SERVICE}/PullIpfsPath", pb.PullIpfsPathRequest, pb.PullIpfsPathResponse)
LIST_IPFS_PATH = Method(
    f"{_SERVICE}/ListIpfsPath", pb.ListIpfsPathRequest, pb.ListIpfsPathResponse, safe=True
)
SET_PATH = Method(f"{_SERVICE}/SetPath", pb.SetPathRequest, pb.SetPathResponse)
MOVE_PATH = Method(f"{_SERVICE}/MovePath", pb.MovePathRequest, pb.MovePathResponse)
REMOVE = Method(f"{_SERVICE}/Remove", pb.RemoveRequest, pb.RemoveResponse)
REMOVE_PATH = Method(f"{_SERVICE}/RemovePath", pb.RemovePathRequest, pb.RemovePathResponse)
PUSH_ROLES = Method(
    f"{_SERVICE}/PushPathAccessRoles", pb.PushPathAccessRolesRequest, pb.PushPathAccessRolesResponse
)
PULL_ROLES = Method(
    f"{_SERVICE}/PullPathAccessRoles",
    pb.PullPathAccessRolesRequest,
    pb.PullPathAccessRolesResponse,
    safe=True,
)
ARCHIVE_CONFIG = Method(
    f"{_SERVICE}/DefaultArchiveConfig",
    pb.DefaultArchiveConfigRequest,
    pb.DefaultArchiveConfigResponse,
    safe=True,
)
SET_ARCHIVE_CONFIG = Method(
    f"{_SERVICE}/SetDefaultArchiveConfig",
    pb.SetDefaultArchiveConfigRequest,
    pb.SetDefaultArchiveConfigResponse,
)
ARCHIVE = Method(f"{_SERVICE}/Archive", pb.ArchiveRequest, pb.ArchiveResponse)
ARCHIVES = Method(f"{_SERVICE}/Archives", pb.ArchivesRequest, pb.ArchivesResponse, safe=True)
ARCHIVE_WATCH = Method(f"{_SERVICE}/ArchiveWatch", pb.ArchiveWatchRequest, pb.ArchiveWatchResponse)
