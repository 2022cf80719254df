"""``python -m benchmarks [NAME ...]``: measure, show a table, keep JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.buckets import buckets
from benchmarks.collecting import collecting
from benchmarks.documents import creates, databases, listeners, lookups, results
from benchmarks.exchanges import exchanges
from benchmarks.figures import Figure, document, table
from benchmarks.files import files
from benchmarks.gateway import gateway
from benchmarks.memory import memory
from benchmarks.others import peers
from benchmarks.people import people
from benchmarks.process import ROOT
from benchmarks.rounds import QUICK, Scale
from benchmarks.startup import startup
from benchmarks.transfers import transfers
from benchmarks.unary import unary

ALL = (
    startup,
    unary,
    files,
    transfers,
    buckets,
    gateway,
    memory,
    creates,
    lookups,
    listeners,
    databases,
    results,
    collecting,
    people,
    peers,
    exchanges,
)
BENCHMARKS = {each.__name__: each for each in ALL}


async def run(names: list[str], scale: Scale) -> list[Figure]:
    """Measure one benchmark after the other, each in a folder of its own."""
    figures: list[Figure] = []
    for name in names:
        print(f"{name} ...", flush=True)
        with tempfile.TemporaryDirectory(prefix="textile-bench-") as folder:
            figures += await BENCHMARKS[name](Path(folder), scale)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)} (all)")
    parser.add_argument("--quick", action="store_true", help="see whether everything runs, in a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the results go (bench-results/)")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    started = datetime.now(UTC)
    figures = asyncio.run(run(options.names or list(BENCHMARKS), QUICK if options.quick else Scale()))
    print(table(figures))
    file = options.json or ROOT / "bench-results" / f"{started:%Y%m%dT%H%M%SZ}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"started": started.isoformat(), **document(figures)}, indent=2) + "\n")
    print(f"kept in {file}")


if __name__ == "__main__":
    main()
