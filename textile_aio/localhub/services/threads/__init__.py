"""``threads.pb.API``: from messages to the thread database engine and back (spec: threads-api)."""

from __future__ import annotations

from textile_aio.localhub.services.threads.service import threads_service

__all__ = ["threads_service"]
