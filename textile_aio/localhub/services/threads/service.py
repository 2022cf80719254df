"""All methods of ``threads.pb.API`` under their names."""

from __future__ import annotations

from textile_aio._proto.threads import pb
from textile_aio.localhub.access.ownership import Ownership
from textile_aio.localhub.host import Host
from textile_aio.localhub.routes import Service
from textile_aio.localhub.services.threads.collections import CollectionMethods
from textile_aio.localhub.services.threads.databases import DatabaseMethods
from textile_aio.localhub.services.threads.instances import InstanceMethods
from textile_aio.localhub.services.threads.listening import ListenMethods
from textile_aio.localhub.services.threads.rights import Rights
from textile_aio.localhub.services.threads.transactions import TransactionMethods
from textile_aio.localhub.services.tokens import get_token
from textile_aio.storage.runner import StoreRunner
from textile_aio.threaddb.engine import ThreadDatabases

_PREFIX = "/threads.pb.API/"


def threads_service(
    store: StoreRunner, engine: ThreadDatabases, host: Host, ownership: Ownership | None
) -> Service:
    """What is served. ``ownership`` is None on a hub without accounts."""
    rights = Rights(host, ownership)
    handlers = {
        "GetToken": get_token(host, pb.GetTokenReply),
        **DatabaseMethods(store, engine, host, ownership).handlers(),
        **CollectionMethods(engine, host).handlers(),
        **InstanceMethods(engine, rights).handlers(),
        **TransactionMethods(engine, host, rights).handlers(),
        **ListenMethods(engine, rights).handlers(),
    }
    return Service(pb.ApiBase, {_PREFIX + name: handler for name, handler in handlers.items()})
