"""``threads.net.pb.API``: from messages to threads and records and back (spec: thread-net-and-records)."""

from __future__ import annotations

from textile_aio.localhub.services.net.service import NetService

__all__ = ["NetService"]
