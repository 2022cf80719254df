"""The embedded hub: one process, one directory, wire-compatible with Textile's Go daemons.

``hub`` owns the life of the whole; ``routes`` takes calls through ``access`` to the thin ``services``,
which speak to the engines (``buckets``, and the room ``threaddb``) over the room ``storage``.
"""

from textile_aio.localhub.accounts import AccountCredentials, ApiKeyCredentials
from textile_aio.localhub.hub import LocalHub
from textile_aio.localhub.settings import HubSettings

__all__ = ["AccountCredentials", "ApiKeyCredentials", "HubSettings", "LocalHub"]
