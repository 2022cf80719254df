"""Unary calls over real sockets."""

from __future__ import annotations

import asyncio

import pytest
from grpclib.const import Status

from tests.rpc.leaks import nothing_left
from tests.rpc.service import CTX, ECHO, GARBLE, HANG, MISSING, REFUSE, Anonymous, Service, channel, serving
from textile_aio import errors
from textile_aio._rpc.retry import RetryPolicy


async def test_a_call_brings_back_its_reply() -> None:
    async with nothing_left(), serving(Service()) as port, channel(port) as ch:
        assert await ch.unary(ECHO, b"hello", CTX) == b"hello"


async def test_empty_and_large_messages_pass() -> None:
    async with serving(Service()) as port, channel(port) as ch:
        for size in (0, 1, 16_379, 16_380, 65_536, 3_000_000):
            assert await ch.unary(ECHO, bytes(size), CTX) == bytes(size)


async def test_many_calls_at_once_keep_their_replies_apart() -> None:
    async with serving(Service()) as port, channel(port) as ch, asyncio.TaskGroup() as group:
        tasks = {n: group.create_task(ch.unary(ECHO, str(n).encode(), CTX)) for n in range(300)}
    assert all(task.result() == str(n).encode() for n, task in tasks.items())


async def test_the_context_gives_the_headers_and_a_call_may_add_some() -> None:
    service = Service()
    async with serving(service) as port, channel(port) as ch:
        ctx = Anonymous(**{"x-textile-api-key": "k", "x-textile-thread": "t"})
        await ch.unary(ECHO, b"", ctx, headers={"x-textile-thread": "other", "x-more": "m"})
    sent = service.metadata[0]
    assert sent["x-textile-api-key"] == "k"
    assert sent["x-textile-thread"] == "other"
    assert sent["x-more"] == "m"


async def test_the_deadline_is_sent() -> None:
    service = Service()
    async with serving(service) as port, channel(port) as ch:
        await ch.unary(ECHO, b"", CTX, timeout=30)
        await ch.unary(ECHO, b"", CTX)
    assert service.deadlines[0] is not None
    assert 25 < service.deadlines[0] <= 30
    assert service.deadlines[1] is None


async def test_a_deadline_ends_the_call_and_the_server_notices() -> None:
    service = Service()
    async with nothing_left(), serving(service) as port, channel(port) as ch:
        with pytest.raises(errors.DeadlineExceeded) as caught:
            await ch.unary(HANG, b"", CTX, timeout=0.05, about="a-bucket")
        assert isinstance(caught.value, TimeoutError)
        assert caught.value.method == HANG.path
        assert caught.value.about == "a-bucket"
        await service.noticed.wait()
        assert await ch.unary(ECHO, b"still there", CTX) == b"still there"


async def test_a_deadline_in_the_past_sends_nothing() -> None:
    service = Service()
    async with serving(service) as port, channel(port) as ch:
        with pytest.raises(errors.DeadlineExceeded):
            await ch.unary(ECHO, b"", CTX, timeout=0)
    assert service.calls == 0


async def test_an_outer_timeout_sees_its_own_error_after_a_deadline() -> None:
    async with serving(Service()) as port, channel(port) as ch:
        async with asyncio.timeout(60):
            with pytest.raises(errors.DeadlineExceeded):
                await ch.unary(HANG, b"", CTX, timeout=0.01)
            await asyncio.sleep(0)


async def test_an_outer_timeout_is_not_taken_for_a_deadline() -> None:
    async with nothing_left(), serving(Service()) as port, channel(port) as ch:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.05):
                await ch.unary(HANG, b"", CTX, timeout=60)
        assert not isinstance(caught.value, errors.DeadlineExceeded)


async def test_cancelling_a_call_tells_the_server() -> None:
    service = Service()
    async with nothing_left(), serving(service) as port, channel(port) as ch:
        task = asyncio.create_task(ch.unary(HANG, b"", CTX, timeout=60))
        await service.started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await service.noticed.wait()


async def test_a_refusal_names_code_text_method_and_subject() -> None:
    service = Service()
    service.status, service.message = Status.PERMISSION_DENIED, "pas à toi: 50 %"
    async with serving(service) as port, channel(port) as ch:
        with pytest.raises(errors.PermissionDenied) as caught:
            await ch.unary(REFUSE, b"", CTX, about="photos")
    assert caught.value.message == "pas à toi: 50 %"
    assert caught.value.code is errors.StatusCode.PERMISSION_DENIED
    assert caught.value.method == REFUSE.path
    assert caught.value.about == "photos"


async def test_an_unknown_method_is_unimplemented() -> None:
    async with serving(Service()) as port, channel(port) as ch:
        with pytest.raises(errors.Unimplemented):
            await ch.unary(MISSING, b"", CTX)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("grpc-timeout", "1S"),
        ("te", "x"),
        ("X-Upper", "x"),
        ("a b", "x"),
        ("x", ""),
        ("x", "secr\u00e9t"),
        ("x", "secr\n"),
    ],
)
async def test_a_header_that_cannot_be_sent_is_refused_without_repeating_its_value(
    name: str, value: str
) -> None:
    service = Service()
    async with serving(service) as port, channel(port) as ch:
        with pytest.raises(errors.InvalidCredential) as caught:
            await ch.unary(ECHO, b"", Anonymous(), headers={name: value})
    assert "secr" not in str(caught.value)
    assert service.calls == 0


async def test_a_closed_channel_refuses_calls_before_anything_is_sent() -> None:
    service, ctx = Service(), Anonymous()
    async with serving(service) as port:
        ch = channel(port)
        with pytest.raises(errors.ClosedError, match="not open yet"):
            await ch.unary(ECHO, b"", ctx)
        async with ch:
            pass
        with pytest.raises(errors.ClosedError):
            await ch.unary(ECHO, b"", ctx)
        with pytest.raises(errors.ClosedError):
            ch.stream(ECHO, ctx)
        with pytest.raises(errors.ClosedError):
            await ch.__aenter__()
        await ch.close()
    assert service.calls == 0
    assert ctx.asked == 0


async def test_closing_ends_calls_under_way() -> None:
    service = Service()
    async with nothing_left(), serving(service) as port:
        async with channel(port) as ch:
            task = asyncio.create_task(ch.unary(HANG, b"", CTX))
            await service.started.wait()
        with pytest.raises(errors.ClosedError, match="during the call"):
            await task
        await service.noticed.wait()


async def test_closing_ends_a_call_that_waits_for_its_next_attempt(unused_tcp_port: int) -> None:
    waiting = asyncio.Event()

    async def sleep(_: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    async with nothing_left():
        async with channel(unused_tcp_port, retry=RetryPolicy(), sleep=sleep) as ch:
            task = asyncio.create_task(ch.unary(ECHO, b"", CTX))
            await waiting.wait()
        with pytest.raises(errors.ClosedError):
            await task


async def test_another_event_loop_is_refused_clearly() -> None:
    async with serving(Service()) as port, channel(port) as ch:
        await ch.unary(ECHO, b"", CTX)

        def elsewhere() -> None:
            with pytest.raises(errors.ClosedError, match="another event loop"):
                asyncio.run(ch.unary(ECHO, b"", CTX))

        await asyncio.to_thread(elsewhere)
        assert await ch.unary(ECHO, b"fine", CTX) == b"fine"


async def test_a_reply_that_cannot_be_decoded_is_a_protocol_error() -> None:
    async with serving(Service()) as port, channel(port) as ch:
        with pytest.raises(errors.ProtocolError, match="not a message"):
            await ch.unary(GARBLE, b"", CTX)


async def test_a_failing_context_fails_the_call() -> None:
    class Broken:
        async def metadata(self) -> dict[str, str]:
            raise errors.AuthExpired("the signature is out of date")

    service = Service()
    async with serving(service) as port, channel(port) as ch:
        with pytest.raises(errors.AuthExpired):
            await ch.unary(ECHO, b"", Broken())
    assert service.calls == 0
