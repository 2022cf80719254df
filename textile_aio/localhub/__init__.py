"""The embedded hub: one process, one directory, wire-compatible with Textile's Go daemons.

``hub`` owns the life of the whole; ``routes`` takes calls through ``access`` to the thin ``services``,
which speak to the engines (``buckets``, and the room ``threaddb``) over the room ``storage``.

It needs the packages of ``textile-aio[hub]``.
"""

from textile_aio.errors import HubError
from textile_aio.localhub.limits import DoorLimits
from textile_aio.localhub.settings import HubSettings
from textile_aio.localhub.tls import TlsFiles

try:
    from textile_aio.localhub.accounts import AccountCredentials, ApiKeyCredentials
    from textile_aio.localhub.accounts.mailer import LogMailer, Mail, Mailer
    from textile_aio.localhub.accounts.smtp import SmtpMailer
    from textile_aio.localhub.hub import LocalHub
    from textile_aio.storage.collector import Collected, StorageUsage
except ModuleNotFoundError as _error:
    if _error.name not in ("orjson", "quickjs", "re2"):
        raise
    raise HubError(
        f"the embedded hub needs {_error.name}, which is not installed: pip install 'textile-aio[hub]'"
    ) from _error

__all__ = [
    "AccountCredentials",
    "ApiKeyCredentials",
    "Collected",
    "DoorLimits",
    "HubSettings",
    "LocalHub",
    "LogMailer",
    "Mail",
    "Mailer",
    "SmtpMailer",
    "StorageUsage",
    "TlsFiles",
]
