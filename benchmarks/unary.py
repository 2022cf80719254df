"""The smallest call, again and again."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks import sides
from benchmarks.figures import Figure
from benchmarks.rounds import Rounds, Scale


async def unary(work: Path, scale: Scale) -> list[Figure]:
    """Root in sequence: signature, token, owner and document looked at by a hub in ``hub`` mode.

    The limit is a stock client's call to a stock server, which checks nothing and sends such a message.
    """
    rounds = Rounds(amount=scale.calls)
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(sides.hub(work / "hub"))
        server = await stack.enter_async_context(sides.stock_server())
        client = await stack.enter_async_context(hub.client())
        stock = await stack.enter_async_context(sides.stock_client(server.ready["target"]))
        key = await hub.bucket()
        for _ in rounds.of(scale.rounds * 3):
            rounds.add("stock", await stock.ask("roots", key=key, count=scale.calls))
            rounds.add("ours", await client.ask("roots", key=key, count=scale.calls))
    return [Figure("Root in sequence", "calls/s", rounds["ours"], "stock call", rounds["stock"], 0.6)]
