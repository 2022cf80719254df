"""Buckets: file trees in a thread, pushed, pulled and listed over ``api.bucketsd.pb.APIService``."""

from __future__ import annotations

from textile_aio.buckets.client import BucketsClient
from textile_aio.buckets.paths import BucketPath
from textile_aio.buckets.pull import Pull
from textile_aio.buckets.push import Items, PathsPush, RootLike
from textile_aio.buckets.sources import CHUNK_SIZE, Source
from textile_aio.buckets.values import (
    Bucket,
    Links,
    Metadata,
    PathItem,
    PathListing,
    Progress,
    ProgressCallback,
    PushedPath,
    Role,
    Root,
)

__all__ = [
    "CHUNK_SIZE",
    "Bucket",
    "BucketPath",
    "BucketsClient",
    "Items",
    "Links",
    "Metadata",
    "PathItem",
    "PathListing",
    "PathsPush",
    "Progress",
    "ProgressCallback",
    "Pull",
    "PushedPath",
    "Role",
    "Root",
    "RootLike",
    "Source",
]
