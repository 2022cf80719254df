"""From the messages of ``api.usersd.pb`` to values of ours.

What cannot be such a value is the hub's fault: ProtocolError.
"""

from __future__ import annotations

from textile_aio._proto.api.usersd import pb
from textile_aio.errors import InvalidInput, ProtocolError
from textile_aio.ids import ThreadID
from textile_aio.users.values import ThreadInfo


def thread(message: pb.GetThreadResponse) -> ThreadInfo:
    """The value of GetThread's answer, and of an entry of ListThreads'.

    Raises:
        ProtocolError: The id is malformed.
    """
    try:
        return ThreadInfo(ThreadID.from_bytes(message.id), name=message.name, is_db=message.is_db)
    except InvalidInput as error:
        raise ProtocolError(
            f"the hub sent a malformed thread id: {error.message}", about=message.name
        ) from error
