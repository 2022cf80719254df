"""What the users client makes of answers no recording has."""

from __future__ import annotations

import pytest

from tests.fakehub import CTX, FakeHub, connected
from textile_aio import ProtocolError
from textile_aio._proto.api.usersd import pb
from textile_aio.users._methods import GET_THREAD


async def test_a_malformed_thread_id_is_the_hubs_fault() -> None:
    fake = FakeHub()
    fake.answer(GET_THREAD, pb.GetThreadResponse(id=b"\x02", name="x"))
    async with connected(fake) as hub:
        with pytest.raises(ProtocolError, match="malformed thread id"):
            await hub.users.get_thread(CTX, "x")
