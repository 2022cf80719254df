"""The walk: from an empty directory to files in a bucket, and back.

Starts a hub of its own, makes an account, a key and an identity, pushes real files into a bucket, pulls
them back and compares them; then does it again after the hub was restarted from its directory.

    python examples/quickstart.py [FILE OR FOLDER]
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

import textile_aio
from textile_aio import AuthContext, Identity
from textile_aio.localhub import LocalHub

BIG_FILE = 64 * 1024 * 1024
HERE = Path(__file__).resolve().parent.parent

console = Console()


def main(arguments: list[str]) -> int:
    if len(arguments) > 1:
        return refuse("give one file or folder, or nothing")
    try:
        return asyncio.run(walk(Path(arguments[0]).resolve() if arguments else None))
    except (OSError, textile_aio.TextileError) as error:
        return refuse(str(error))


async def walk(source: Path | None) -> int:
    with tempfile.TemporaryDirectory(prefix="textile-quickstart-") as folder:
        work = Path(folder)
        files = dict(given_files(source) if source else own_files(work))
        if not files:
            return refuse(f"there are no files in {source}")
        expected = {name: sha256(path) for name, path in files.items()}
        data = work / "hub"

        async with LocalHub.open(data) as hub:
            say("hub", f"{hub.target}, data in {data}")
            account = await hub.create_account("quickstart")
            key = await hub.create_key(account, secure=True, user_group=True)

            async with textile_aio.connect(hub.target) as client:
                # The secret signs each call and never travels.
                ctx = AuthContext().with_api_key(key.key, key.secret)
                identity = Identity.generate()
                ctx = await client.threads.authorize(ctx, identity)
                thread = await client.threads.new_db(ctx, name="quickstart")
                ctx = ctx.with_thread(thread)
                bucket = await client.buckets.create(ctx, "files")
                say("identity", str(identity.public))
                say("thread", str(thread))
                say("bucket", bucket.key)

                await push(client, ctx, bucket.key, files)
                root = await client.buckets.root(ctx, bucket.key)
                links = await client.buckets.links(ctx, bucket.key)
                say("root", root.path)
                say("link", links.url)
                say("ipns", links.ipns)
                matched = await pull(client, ctx, bucket.key, expected, work / "first")

        # Everything is on disk: a new hub on the same directory has it all.
        async with LocalHub.open(data) as hub, textile_aio.connect(hub.target) as client:
            say("restarted", hub.target)
            matched &= await pull(client, ctx, bucket.key, expected, work / "second")
    return 0 if matched else 1


async def push(client: textile_aio.HubClient, ctx: AuthContext, key: str, files: dict[str, Path]) -> None:
    sizes = {name: path.stat().st_size for name, path in files.items()}
    started = time.perf_counter()
    with progress_bar() as bar:
        task = bar.add_task("push", total=sum(sizes.values()))
        async with client.buckets.push_paths(ctx, key, files) as pushed:
            async for file in pushed:
                bar.update(task, advance=sizes[str(file.path)])
    say("pushed", speed(len(files), sum(sizes.values()), time.perf_counter() - started))


async def pull(
    client: textile_aio.HubClient, ctx: AuthContext, key: str, expected: dict[str, str], into: Path
) -> bool:
    total = 0
    wrong = []
    few = asyncio.Semaphore(8)

    async def pull_one(name: str) -> None:
        nonlocal total
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        async with few:
            total += await client.buckets.pull_to(ctx, key, name, target)
            if await asyncio.to_thread(sha256, target) != expected[name]:
                wrong.append(name)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for name in expected:
            group.create_task(pull_one(name))
    say("pulled", speed(len(expected), total, time.perf_counter() - started))
    for name in wrong:
        refuse(f"{name} is not what was pushed")
    if not wrong:
        say("compared", f"{len(expected)} files are the same, by SHA-256")
    return not wrong


def own_files(work: Path) -> Iterator[tuple[str, Path]]:
    """This repository's documentation, and one large file made for the occasion."""
    yield from given_files(HERE / "docs")
    big = work / "64MiB.bin"
    block = hashlib.sha512(b"quickstart").digest() * 16_384
    with big.open("wb") as file:
        for count in range(BIG_FILE // len(block)):
            file.write(count.to_bytes(8, "big") + block[8:])
    yield big.name, big


def given_files(source: Path) -> Iterator[tuple[str, Path]]:
    """A file, or all files of a folder by their paths in it, but for hidden folders."""
    if source.is_file():
        yield source.name, source
    elif not source.is_dir():
        raise FileNotFoundError(f"{source} is no file and no folder")
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for path in (Path(folder, name) for name in sorted(names)):
            if path.is_file():
                yield path.relative_to(source.parent).as_posix(), path


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description:>10}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=console,
    )


def speed(files: int, size: int, seconds: float) -> str:
    pace = size / 1e6 / seconds
    return f"{files} files, {size / 1e6:.1f} MB in {seconds:.2f} s: {pace:.{0 if pace >= 10 else 1}f} MB/s"


def say(what: str, text: str) -> None:
    console.print(f"[bold]{what:>10}[/bold] {escape(text)}", highlight=False, soft_wrap=True)


def refuse(why: str) -> int:
    console.print(why, style="red", markup=False, highlight=False, soft_wrap=True)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
