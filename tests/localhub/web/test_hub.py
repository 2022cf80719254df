"""The gRPC-web door as part of a hub: the same services, opened only where it is asked for."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import textile_aio
from tests.localhub.process import hub_process
from tests.localhub.web.client import answer, call, opened
from tests.localhub.web.frames import flagged, header_text
from tests.rpc.leaks import nothing_left
from textile_aio import AuthContext, ClosedError, Identity, ThreadID
from textile_aio._proto.grpc.health import v1 as health
from textile_aio._proto.threads import pb
from textile_aio.errors import HubError
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.localhub.__main__ import _parser, _web_port
from textile_aio.localhub.doors import Doors

GET_TOKEN, NEW_DB = "/threads.pb.API/GetToken", "/threads.pb.API/NewDB"
CHECK = "/grpc.health.v1.Health/Check"


async def token_through_the_web(target: str, identity: Identity, ctx: AuthContext) -> str:
    async with opened(target, GET_TOKEN) as websocket:
        await websocket.send(header_text(await ctx.metadata()))
        await websocket.send(flagged(bytes(pb.GetTokenRequest(key=str(identity.public)))))
        assert (await websocket.recv(decode=False))[0] == 0x80
        challenge = pb.GetTokenReply.parse((await websocket.recv(decode=False))[5:]).challenge
        assert challenge is not None
        signature = identity.sign(challenge)
        await websocket.send(flagged(bytes(pb.GetTokenRequest(signature=signature))))
        token = pb.GetTokenReply.parse((await websocket.recv(decode=False))[5:]).token
        assert (await websocket.recv(decode=False)).endswith(b"grpc-status: 0\r\n")
        await websocket.wait_closed()
        assert websocket.close_code == 1000
        assert token
        return token


@pytest.mark.parametrize("mode", ["hub", "buckd"])
async def test_both_doors_lead_to_the_same_services(mode: str) -> None:
    async with LocalHub.in_memory(HubSettings(mode=mode, web_port=0)) as hub:  # type: ignore[arg-type]
        assert hub.web_target is not None
        assert hub.web_target != hub.target
        ctx = AuthContext()
        if mode == "hub":
            key = await hub.create_key(await hub.create_account("owner"))
            ctx = ctx.with_api_key(key.key, key.secret)
        ctx = ctx.with_token(await token_through_the_web(hub.web_target, Identity.generate(), ctx))
        thread = ThreadID.random()
        request = bytes(pb.NewDbRequest(db_id=bytes(thread), name="photos"))
        got = await call(hub.web_target, NEW_DB, request, metadata=await ctx.metadata())
        assert got.status == (0, "")
        async with textile_aio.connect(hub.target) as client:
            info = await client.threads.get_db_info(ctx.with_thread(thread))
            assert info.name == "photos"


async def test_refusals_are_the_same_at_both_doors() -> None:
    async with LocalHub.in_memory(HubSettings(web_port=0)) as hub:
        assert hub.web_target is not None
        got = await call(hub.web_target, NEW_DB, b"", metadata={"x-textile-api-key": "unknown"})
        async with textile_aio.connect(hub.target) as client:
            with pytest.raises(textile_aio.TextileError) as refused:
                await client.threads.new_db(AuthContext().with_api_key("unknown"))
        assert got.status == (refused.value.code, refused.value.message)


async def test_no_door_unless_it_is_asked_for() -> None:
    async with LocalHub.in_memory() as hub:
        assert hub.web_target is None
    with pytest.raises(ClosedError):
        _ = hub.web_target


async def test_opening_and_closing_leave_nothing(tmp_path: Path) -> None:
    async with LocalHub.in_memory(HubSettings(web_port=0)):
        pass  # what is made once in a process is there now
    async with nothing_left(), LocalHub.in_memory(HubSettings(web_port=0)) as hub:
        assert hub.web_target is not None
        assert (await call(hub.web_target, CHECK, b"")).status == (0, "")


async def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with nothing_left():
            with pytest.raises(HubError, match=f"cannot listen on 127.0.0.1:{port}.*choose another port"):
                async with LocalHub.in_memory(HubSettings(web_port=port)):
                    pass


async def test_the_door_of_localhost_is_on_all_of_its_addresses() -> None:
    async with LocalHub.in_memory(HubSettings(host="localhost", web_port=0)) as hub:
        assert hub.web_target is not None
        port = hub.web_target.rpartition(":")[2]
        assert hub.web_target.startswith("localhost:")
        assert (await call(f"127.0.0.1:{port}", CHECK, b"")).status == (0, "")


async def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = ("textile_aio.localhub.web.", "textile_aio.localhub.http_")
    for name in [name for name in sys.modules if name.startswith(ours)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(HubError, match=r"needs uvicorn, .*pip install 'textile-aio\[hub\]'"):
        async with LocalHub.in_memory(HubSettings(web_port=0)):
            pass
    async with LocalHub.in_memory():
        pass


def test_a_hub_without_the_door_loads_no_web_server() -> None:
    program = """
import asyncio, sys
from textile_aio.localhub import LocalHub
async def main():
    async with LocalHub.in_memory():
        pass
asyncio.run(main())
print([name for name in ("uvicorn", "starlette", "websockets", "h11") if name in sys.modules])
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert said.stdout.strip() == "[]"


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_cannot_be(port: int) -> None:
    with pytest.raises(textile_aio.InvalidInput, match="web_port"):
        HubSettings(web_port=port)


@pytest.mark.parametrize(
    ("arguments", "port"),
    [
        ([], 3007),
        (["--port", "0"], 0),
        (["--port", "4000"], 4001),
        (["--port", "65535"], 0),
        (["--web-port", "5000"], 5000),
        (["--web-port", "0"], 0),
        (["--no-web"], None),
    ],
)
def test_the_port_of_a_process(arguments: list[str], port: int | None) -> None:
    assert _web_port(_parser().parse_args(arguments)) == port


async def test_a_process_says_where_its_door_is(tmp_path: Path) -> None:
    async with hub_process(tmp_path / "hub", "--web-origin", "https://app.example") as process:
        assert process.web_target is not None
        got = await call(process.web_target, CHECK, b"")
        assert health.HealthCheckResponse.parse(got.messages[0]).status == 1
        async with opened(process.web_target, "/threads.pb.API/GetToken") as websocket:
            await websocket.send(header_text())
            assert await process.end() == 0
            assert (await answer(websocket)).status[0] != 0
    async with hub_process(tmp_path / "hub", "--no-web") as process:
        assert process.web_target is None


async def test_both_doors_share_the_grace() -> None:
    both = asyncio.Barrier(2)

    class Waiting:
        port = 0

        alpn = "h2"

        async def start(self, host: str, port: int, *, tls: object) -> int:
            return 1

        async def shutdown(self, *, grace: float) -> None:
            assert grace == 1.5
            await both.wait()

    doors = await Doors.prepare(HubSettings(grace=1.5))
    for door in (Waiting(), Waiting()):
        await doors.open(door, 0)
    await doors.shut()
