"""The calls of ``textile_aio.buckets.pb.Extensions``, which other hubs answer with UNIMPLEMENTED.

A module of its own, so that its messages are imported when they are used.
"""

from __future__ import annotations

from textile_aio._proto.textile_aio.buckets import pb
from textile_aio._rpc.method import Method

_SERVICE = "/textile_aio.buckets.pb.Extensions"

LIST_TREE = Method(f"{_SERVICE}/ListTree", pb.ListTreeRequest, pb.ListTreeResponse, safe=True)
HAS_BLOCKS = Method(f"{_SERVICE}/HasBlocks", pb.HasBlocksRequest, pb.HasBlocksResponse, safe=True)
COPY_PATH = Method(f"{_SERVICE}/CopyPath", pb.CopyPathRequest, pb.CopyPathResponse)
EXPORT_CAR = Method(f"{_SERVICE}/ExportCar", pb.ExportCarRequest, pb.ExportCarResponse)
IMPORT_CAR = Method(f"{_SERVICE}/ImportCar", pb.ImportCarRequest, pb.ImportCarResponse)
