"""gRPC-web over HTTP POST, binary and as text, and what browsers ask before (gateway-and-web §B4, §B5)."""

from __future__ import annotations

import asyncio
import base64
import http.client
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest

from tests.faults.tasks import no_task_left
from tests.localhub.web.frames import Answer, framed
from tests.localhub.web.scripted import SERVER_STREAM, UNARY, door, listened, name_of
from textile_aio._proto.threads import pb
from textile_aio.errors import NotFound, StatusCode
from textile_aio.localhub.call import Call, Exchange

BINARY, TEXT = "application/grpc-web+proto", "application/grpc-web-text"
SEEN: list[tuple[bytes, Mapping[str, str]]] = []


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: bytes


async def unary(call: Call, request: pb.DeleteDbRequest) -> pb.DeleteDbReply:
    if request.db_id == b"missing":
        raise NotFound("not f\u00fcnd", code=StatusCode.NOT_FOUND)
    SEEN.append((request.db_id, call.headers))
    return pb.DeleteDbReply()


async def stream(call: Call, request: pb.ListenRequest, exchange: Exchange) -> None:
    await exchange.begin({"textile-aio-position": "3"})
    for number in range(50):
        await exchange.send(listened(f"{number}" * 1000))
    raise NotFound("the end", code=StatusCode.NOT_FOUND)


@pytest.fixture
async def target() -> AsyncIterator[str]:
    SEEN.clear()
    async with door({UNARY: unary, SERVER_STREAM: stream}) as address:
        yield address


async def http_request(
    target: str, path: str, headers: Mapping[str, str], body: bytes = b"", method: str = "POST"
) -> Response:
    def blocking() -> Response:
        connection = http.client.HTTPConnection(target)
        connection.putrequest(method, path, skip_host="host" in headers)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        got = connection.getresponse()
        read = Response(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
        connection.close()
        return read

    return await asyncio.to_thread(blocking)


def read(response: Response) -> Answer:
    """As a client reads them: here the headers are those of HTTP, and the body has only trailers."""
    body = base64_groups(response.body) if response.headers["content-type"] == TEXT else response.body
    got = Answer(headers=dict(response.headers))
    got.feed(body)
    return got.end()


def base64_groups(text: bytes) -> bytes:
    """Every flush may be padded for itself."""
    return b"".join(base64.b64decode(text[start : start + 4]) for start in range(0, len(text), 4))


def body_of(kind: str, message: bytes) -> bytes:
    return base64.b64encode(framed(message)) if kind == TEXT else framed(message)


@pytest.mark.parametrize("kind", [BINARY, TEXT, "application/grpc-web"])
async def test_a_unary_call(target: str, kind: str) -> None:
    body = body_of(kind, bytes(pb.DeleteDbRequest(db_id=b"a database")))
    headers = {
        "content-type": kind,
        "x-grpc-web": "1",
        "x-textile-thread": "t",
        "host": "http://127.0.0.1:3007",
    }
    response = await http_request(target, UNARY, headers, body)
    got = read(response)
    assert (response.status, response.headers["content-type"]) == (200, kind)
    assert (got.messages, got.trailers) == ([b""], {"grpc-status": "0"})
    ((id_, metadata),) = SEEN
    assert id_ == b"a database"
    assert metadata.get("x-textile-thread") == "t"
    assert not {"host", "content-type", "x-grpc-web", "content-length"} & set(metadata)


@pytest.mark.parametrize("kind", [BINARY, TEXT])
async def test_a_server_stream(target: str, kind: str) -> None:
    response = await http_request(target, SERVER_STREAM, {"content-type": kind}, body_of(kind, b""))
    got = read(response)
    assert response.headers["textile-aio-position"] == "3"
    assert [name_of(each) for each in got.messages] == [f"{number}" * 1000 for number in range(50)]
    assert got.status == (5, "the end")


@pytest.mark.parametrize("kind", [BINARY, TEXT])
async def test_a_refusal_before_any_message_is_in_the_headers(target: str, kind: str) -> None:
    body = body_of(kind, bytes(pb.DeleteDbRequest(db_id=b"missing")))
    response = await http_request(target, UNARY, {"content-type": kind}, body)
    assert (response.status, response.body) == (200, b"")
    assert (response.headers["grpc-status"], response.headers["grpc-message"]) == ("5", "not f%C3%BCnd")


@pytest.mark.parametrize(
    ("path", "kind", "body", "code"),
    [
        ("/no.Service/Nope", BINARY, framed(b""), "12"),
        (UNARY, BINARY, b"", "13"),
        (UNARY, BINARY, b"\x00\x00", "13"),
        (UNARY, BINARY, b"\x00\x00\x40\x00\x01", "8"),
        (UNARY, TEXT, framed(b""), "13"),
        (UNARY, TEXT, b"AAAAA", "13"),
        (UNARY, TEXT, b"A===", "13"),
        (UNARY, TEXT, b"====", "13"),
    ],
)
async def test_requests_that_are_none(target: str, path: str, kind: str, body: bytes, code: str) -> None:
    response = await http_request(target, path, {"content-type": kind}, body)
    assert (response.status, response.headers["grpc-status"]) == (200, code)


@pytest.mark.parametrize("kind", ["application/grpc-web+\u00e9", "application/grpc-web; charset=utf-8"])
async def test_a_content_type_that_is_odd(target: str, kind: str) -> None:
    response = await http_request(target, UNARY, {"content-type": kind}, framed(b""))
    assert (response.status, response.headers["content-type"]) == (200, BINARY)


async def test_text_may_be_padded_in_the_middle_and_broken_into_lines(target: str) -> None:
    frame = framed(bytes(pb.DeleteDbRequest(db_id=b"a database")))
    text = b"\r\n".join((base64.b64encode(frame[:4]), base64.b64encode(frame[4:])))
    got = read(await http_request(target, UNARY, {"content-type": TEXT}, text))
    assert got.status == (0, "")


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "HEAD", "OPTIONS"])
async def test_anything_else_is_an_empty_answer(target: str, method: str) -> None:
    response = await http_request(target, UNARY, {"content-type": "text/plain"}, b"", method)
    assert (response.status, response.body) == (200, b"")


async def test_a_browser_may_call_from_any_page(target: str) -> None:
    asked = {
        "origin": "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-grpc-web,authorization,x-textile-api-key",
    }
    preflight = await http_request(target, UNARY, asked, method="OPTIONS")
    assert preflight.status == 200
    assert preflight.headers["access-control-allow-origin"] in ("*", "https://app.example")
    assert "POST" in preflight.headers["access-control-allow-methods"]
    allowed = preflight.headers["access-control-allow-headers"].replace(" ", "").split(",")
    assert set(asked["access-control-request-headers"].split(",")) <= set(allowed)
    assert preflight.headers["access-control-max-age"] == "600"

    headers = {"content-type": BINARY, "origin": "https://app.example"}
    response = await http_request(target, UNARY, headers, framed(b""))
    assert response.headers["access-control-allow-origin"] in ("*", "https://app.example")
    exposed = response.headers["access-control-expose-headers"].replace(" ", "").split(",")
    assert {"grpc-status", "grpc-message", "textile-aio-position"} <= set(exposed)


async def test_a_page_of_another_origin_may_not(target: str) -> None:
    async with door({UNARY: unary}, origins=("https://app.example",)) as limited:
        for origin, status in (("https://app.example", 200), ("https://elsewhere.example", 403)):
            headers = {"content-type": BINARY, "origin": origin}
            assert (await http_request(limited, UNARY, headers, framed(b""))).status == status
        asked = {"origin": "https://elsewhere.example", "access-control-request-method": "POST"}
        preflight = await http_request(limited, UNARY, asked, method="OPTIONS")
        assert preflight.status == 400
        assert "access-control-allow-origin" not in preflight.headers


async def test_a_client_that_hangs_up_cancels_its_call() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def handler(call: Call, request: pb.ListenRequest, exchange: Exchange) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with no_task_left(), door({SERVER_STREAM: handler}) as target:
        _, writer = await asyncio.open_connection(*target.split(":"))
        head = (
            f"POST {SERVER_STREAM} HTTP/1.1\r\nhost: x\r\ncontent-type: {BINARY}\r\ncontent-length: 5\r\n\r\n"
        )
        writer.write(head.encode() + framed(b""))
        await begun.wait()
        writer.close()
        await ended.wait()


async def test_many_calls_on_one_connection(target: str) -> None:
    def blocking() -> list[int]:
        connection = http.client.HTTPConnection(target)
        sizes = []
        for _ in range(20):
            connection.request("POST", UNARY, framed(b""), {"content-type": BINARY})
            sizes.append(len(connection.getresponse().read()))
        connection.close()
        return sizes

    sizes = await asyncio.to_thread(blocking)
    assert len(set(sizes)) == 1
    assert len(SEEN) == 20
