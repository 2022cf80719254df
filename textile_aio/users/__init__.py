"""Users: the client for ``api.usersd.pb.APIService``."""

from __future__ import annotations

from textile_aio.users.client import UsersClient
from textile_aio.users.values import ThreadInfo

__all__ = ["ThreadInfo", "UsersClient"]
