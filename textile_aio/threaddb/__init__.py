"""The thread database engine: synchronous decisions over a snapshot, no server, no network.

Functions here read a :class:`~textile_aio.storage.store.View` and return what to write as a
:class:`~textile_aio.storage.changes.Batch`. Errors are the public ones, with the status and text that
a hub answers with.
"""
