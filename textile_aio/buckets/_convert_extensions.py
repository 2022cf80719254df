"""From the messages of ``textile_aio.buckets.pb`` to values of ours."""

from __future__ import annotations

from textile_aio._proto.textile_aio.buckets import pb
from textile_aio.buckets.values import PathItem
from textile_aio.errors import InvalidInput, ProtocolError
from textile_aio.ids import Cid


def tree_item(root: str, message: pb.ListTreeResponseEntry) -> PathItem:
    """The value of an entry of ListTree's answer.

    Args:
        root: The root that was listed, ``/ipfs/<cid>``.
        message: The entry.
    """
    try:
        cid = Cid.parse(message.cid)
    except InvalidInput as error:
        raise ProtocolError(
            f"the hub sent something malformed as an entry: {error.message}", about=message.path
        ) from error
    return PathItem(
        cid,
        name=message.path.rpartition("/")[2],
        path=f"{root}/{message.path}" if message.path else root,
        size=message.size,
        is_dir=message.is_dir,
        content_size=None if message.is_dir else message.content_size,
    )
