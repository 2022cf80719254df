"""``python -m textile_aio.localhub``: a hub as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import os
import signal
import sys
from pathlib import Path

from textile_aio.errors import TextileError
from textile_aio.localhub.allocator import keep_freed_memory
from textile_aio.localhub.directory import default_directory
from textile_aio.localhub.hub import LocalHub
from textile_aio.localhub.settings import HubSettings


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit status."""
    options = _parser().parse_args(arguments)
    keep_freed_memory()
    try:
        settings = HubSettings(
            mode=options.mode,
            host=options.host,
            port=options.port,
            web_port=_web_port(options),
            web_origins=tuple(options.web_origin) if options.web_origin else None,
            gateway_url=options.gateway_url,
        )
        asyncio.run(_serve(options.data, settings))
    except TextileError as error:
        print(f"localhub: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


async def _serve(path: Path, settings: HubSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Before anything is opened, so that no signal can come between opening and listening.
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    async with LocalHub.open(path, settings) as hub:
        line = {
            "target": hub.target,
            "web_target": hub.web_target,
            "pid": os.getpid(),
            "mode": settings.mode,
            "data": str(path),
        }
        print(json.dumps(line), flush=True)  # noqa: T201
        await stop.wait()


def _web_port(options: argparse.Namespace) -> int | None:
    """Without being told: none where the packages for it are missing, and one beside ``--port`` otherwise."""
    if options.no_web:
        return None
    if options.web_port is not None:
        return int(options.web_port)
    if any(importlib.util.find_spec(package) is None for package in ("uvicorn", "starlette", "websockets")):
        return None
    return options.port + 1 if 0 < options.port < 65535 else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m textile_aio.localhub",
        description="Run a Textile hub on this machine. Once it serves it prints its address as one line of "
        "JSON; SIGTERM or SIGINT end it, after calls in flight have finished.",
    )
    parser.add_argument(
        "--data", type=Path, default=default_directory(), metavar="DIR", help="data directory (%(default)s)"
    )
    parser.add_argument(
        "--port", type=int, default=3006, help="port to listen on; 0 takes a free one (%(default)s)"
    )
    web = parser.add_mutually_exclusive_group()
    web.add_argument(
        "--web-port",
        type=int,
        metavar="PORT",
        help="port of the gRPC-web door; 0 takes a free one (the one after --port, which makes 3007)",
    )
    web.add_argument("--no-web", action="store_true", help="open no gRPC-web door")
    parser.add_argument(
        "--web-origin",
        action="append",
        metavar="ORIGIN",
        help="a web origin whose pages may call, such as https://app.example; may be repeated (all)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on (%(default)s)")
    parser.add_argument(
        "--mode",
        choices=("hub", "buckd"),
        default="hub",
        help="hub: accounts and keys; buckd: none, serves whoever reaches it (%(default)s)",
    )
    parser.add_argument(
        "--gateway-url", default="http://127.0.0.1:8006", metavar="URL", help="base of links (%(default)s)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
