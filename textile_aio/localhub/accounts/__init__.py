"""Developers, organisations, their sessions and API keys (spec: hub-accounts).

``registry`` looks them up for every call, ``developers``, ``keys`` and ``organisations`` change them,
``entrance`` signs people up and in, by way of ``confirmations`` and a ``mailer``; ``closing`` takes an
account away. ``vault`` seals what must not lie on the disk in clear. Nothing here knows headers, messages or
doors.
"""

from textile_aio.localhub.accounts.accounts import Accounts
from textile_aio.localhub.accounts.credentials import AccountCredentials, ApiKeyCredentials

__all__ = ["AccountCredentials", "Accounts", "ApiKeyCredentials"]
