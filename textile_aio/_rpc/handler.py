"""One incoming call, from its headers to its trailers.

Owns the checks of a request, in grpc-go's words where it refuses one, and the tasks of a connection's calls.
Refuses to know services: they come as a table of paths.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any, cast

from grpclib.const import Handler as Method
from grpclib.const import Status
from grpclib.encoding.base import GRPC_CONTENT_TYPE, CodecBase
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError
from grpclib.metadata import Deadline, decode_metadata, encode_grpc_message
from grpclib.protocol import Stream as WireStream
from grpclib.server import Handler, Stream
from grpclib.utils import DeadlineWrapper, Wrapper
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError as Http2ProtocolError

from textile_aio._rpc import transfer

log = logging.getLogger(__name__)

Headers = list[tuple[str, str]]


class ServerStream(Stream[Any, Any]):
    """A grpclib server call whose messages are limited in size and go the short way where there is one."""

    async def recv_message(self) -> Any:
        """The next message, or None at the end.

        Raises:
            grpclib.exceptions.GRPCError: it is too large, compressed, cut short, or not such a message.
        """
        message = await transfer.receive(self._stream, self._codec, self._recv_type, server=True)
        if message is None:
            return None
        (message,) = await self._dispatch.recv_message(message)
        self._messages_received += 1
        self._stream.connection.messages_received += 1
        self._stream.connection.last_message_received = time.monotonic()
        return message

    async def send_message(self, message: Any) -> None:
        """Send one message; the response headers before the first, in the same write."""
        if not self._send_initial_metadata_done:
            await self.send_initial_metadata()
        if not self._cardinality.server_streaming and self._send_message_done:
            raise ProtocolError("Message was already sent")
        (message,) = await self._dispatch.send_message(message)
        await transfer.send(self._stream, self._codec, message, self._send_type, end=False)
        self._send_message_done = True
        self._messages_sent += 1
        self._stream.connection.messages_sent += 1
        self._stream.connection.last_message_sent = time.monotonic()


class CallHandler(Handler):
    """The calls of one connection.

    `draining` refuses new calls, so that the peer may repeat them elsewhere; so is a call beyond `most` at
    once, and `refused` is told. Twice as many, those cancelled but not yet ended included, are a flood
    (CVE-2023-44487): `flooded` is called.
    """

    draining = False
    most = 0  # no limit
    refused: Callable[[], None] | None = None
    flooded: Callable[[], None] | None = None

    def accept(self, stream: Any, headers: Any, release_stream: Any) -> None:
        """Start a call."""
        if self.most and len(self._tasks) + len(self._cancelled) >= 2 * self.most:
            release_stream()
            if self.flooded is not None:
                self.flooded()
            return
        over = bool(self.most) and len(self._tasks) >= self.most
        if over or self.draining or self.closing:
            stream.reset_nowait(ErrorCodes.REFUSED_STREAM)
            release_stream()
            if over and self.refused is not None:
                self.refused()
            return
        task = self.loop.create_task(self._serve(stream, headers, release_stream))
        self._tasks[stream] = task
        task.add_done_callback(lambda done: self._ended(stream, done))

    def cancel(self, stream: Any) -> None:
        """The peer gave a call up."""
        task = self._tasks.pop(stream, None)
        if task is not None:
            self._cancelled.add(task)
            task.cancel()

    def drain(self) -> None:
        """Take on no more calls."""
        self.draining = True

    def running(self) -> list[asyncio.Task[None]]:
        """Tasks of calls that have not ended."""
        return [*self._tasks.values(), *self._cancelled]

    def _ended(self, stream: Any, task: asyncio.Task[None]) -> None:
        self._tasks.pop(stream, None)
        self._cancelled.discard(task)

    async def _serve(self, stream: WireStream, headers: Headers, release_stream: Callable[[], Any]) -> None:
        try:
            await _serve(self, stream, headers)
        except (ProtocolError, Http2ProtocolError):
            log.debug("call ended early", exc_info=True)
        except Exception:
            log.exception("Server error")
        finally:
            release_stream()


async def _serve(handler: Handler, wire: WireStream, headers: Headers) -> None:
    fields = dict(headers)
    method = await _find_method(wire, fields, handler.mapping, handler.codec)
    if method is None:
        return
    try:
        deadline = Deadline.from_headers(headers)
    except ValueError:
        await _refuse(wire, "200", Status.INTERNAL, f"malformed grpc-timeout: {fields.get('grpc-timeout')}")
        return
    path, user_agent = fields[":path"], fields.get("user-agent")
    async with ServerStream(
        wire,
        path,
        method.cardinality,
        method.request_type,
        method.reply_type,
        codec=handler.codec,
        status_details_codec=handler.status_details_codec,
        dispatch=handler.dispatch,
        deadline=deadline,
        user_agent=user_agent,
    ) as stream:
        wrapper = wire.wrapper = Wrapper() if deadline is None else DeadlineWrapper()
        try:
            until = (
                wrapper.start(cast("Deadline", deadline))
                if isinstance(wrapper, DeadlineWrapper)
                else nullcontext()
            )
            with until, wrapper:
                stream.metadata, function = await handler.dispatch.recv_request(
                    decode_metadata(headers),
                    method.func,
                    method_name=path,
                    deadline=deadline,
                    content_type=fields["content-type"],
                    user_agent=user_agent,
                    peer=stream.peer,
                )
                await function(stream)
        except GRPCError:
            raise
        except TimeoutError as error:
            if wrapper.cancelled or wrapper.cancel_failed or (deadline and deadline.time_remaining() <= 0):
                raise GRPCError(Status.DEADLINE_EXCEEDED, "context deadline exceeded") from error
            log.exception("Application error")
            raise
        except StreamTerminatedError as error:
            log.debug("Request was cancelled: %s", error)
            raise
        except Http2ProtocolError:
            raise  # the peer reset the stream while we were sending
        except Exception:
            log.exception("Application error")
            raise


async def _find_method(
    wire: WireStream, fields: dict[str, str], mapping: dict[str, Method], codec: CodecBase
) -> Method | None:
    """The method a request asks for; if there is none, answer and return None."""
    if fields.get(":method") != "POST":
        await _refuse(wire, "405")
        return None
    base, _, subtype = fields.get("content-type", "").partition("+")
    if base.partition(";")[0] != GRPC_CONTENT_TYPE or subtype not in ("", codec.__content_subtype__):
        await _refuse(wire, "415", Status.UNKNOWN, "Unacceptable content-type header")
        return None
    path = fields.get(":path", "")
    method = mapping.get(path)
    if method is None:
        await _refuse(wire, "200", Status.UNIMPLEMENTED, unknown_method(path, mapping))
    return method


def unknown_method(path: str, mapping: Iterable[str]) -> str:
    """Why a path names no method, as grpc-go says it (`server.go: handleStream`)."""
    service, slash, name = path.removeprefix("/").rpartition("/")
    if not slash:
        return f'malformed method name: "{path}"'
    if any(known.startswith(f"/{service}/") for known in mapping):
        return f"unknown method {name} for service {service}"
    return f"unknown service {service}"


async def _refuse(
    wire: WireStream, http_status: str, status: Status | None = None, message: str = ""
) -> None:
    headers = [(":status", http_status), ("content-type", GRPC_CONTENT_TYPE)]
    if status is not None:
        headers += [("grpc-status", str(status.value)), ("grpc-message", encode_grpc_message(message))]
    await wire.send_headers(headers, end_stream=True)
    if wire.closable:
        wire.reset_nowait()
