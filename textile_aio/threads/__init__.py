"""Threads: the client for ``threads.pb.API``."""

from __future__ import annotations

from textile_aio.threads.client import ThreadsClient
from textile_aio.threads.values import DatabaseInfo

__all__ = ["DatabaseInfo", "ThreadsClient"]
