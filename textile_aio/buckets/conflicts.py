"""Two writers: what to do when a bucket has moved on since the root that a change is based on.

Owns the decision whether somebody else's changes touch the same paths. Directories are compared by their CIDs
from the two roots downwards, so what is equal is never listed. Only public buckets can be compared: what a
root of a private one held cannot be seen any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias, TypeVar, get_args

from textile_aio._arguments import one_of
from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc.channel import Channel
from textile_aio.auth import AuthContext
from textile_aio.buckets import _convert, _methods
from textile_aio.buckets.push import Destination
from textile_aio.errors import InvalidInput, NonFastForward, TextileError
from textile_aio.ids import Cid

T = TypeVar("T")

OnConflict: TypeAlias = Literal["fail", "retry", "overwrite"]
"""What happens to a change whose ``root`` is not the bucket's any more.

``"fail"`` raises :class:`~textile_aio.NonFastForward`. ``"retry"`` makes the change on the new root if what
it touches is there as it was, and raises otherwise, in private buckets always: their states cannot be
compared. ``"overwrite"`` makes it in any case, as without ``root``.
"""

_ATTEMPTS = 5

_Path: TypeAlias = tuple[str, ...]
_Entries: TypeAlias = dict[str, tuple[Cid, bool]]


async def settled(
    ctx: AuthContext,
    to: Destination,
    touched: Iterable[str],
    on_conflict: OnConflict,
    change: Callable[[Destination], Awaitable[T]],
) -> T:
    """Make a change, again on a newer root where ``on_conflict`` allows it.

    Raises:
        NonFastForward: The bucket has moved on, and what is touched has changed, or it cannot be told, or
            it moved on during each of a few attempts.
    """
    match on_conflict:
        case "overwrite":
            return await change(replace(to, root=""))
        case "fail":
            return await change(to)
    paths = [tuple(path.split("/")) for path in touched]
    for _ in range(_ATTEMPTS - 1):
        try:
            return await change(to)
        except NonFastForward as refusal:
            to = replace(to, root=await _newer_root(ctx, to, paths, refusal))
    return await change(to)


def check_choice(on_conflict: OnConflict, to: Destination) -> None:
    """Check what a caller chose.

    Raises:
        InvalidInput: There is no such choice, or it needs a root and none is given.
    """
    choices = get_args(OnConflict)
    if one_of(str, on_conflict, "on_conflict") not in choices:
        raise InvalidInput(f"on_conflict is one of {', '.join(choices)}", about=on_conflict)
    if on_conflict == "retry" and not to.root:
        raise InvalidInput("on_conflict='retry' needs the root that the change is based on")


async def _newer_root(
    ctx: AuthContext, to: Destination, paths: Sequence[_Path], refusal: NonFastForward
) -> str:
    """The bucket's present root, if the paths are at it as they are at the one that was refused."""
    reply = await to.channel.unary(
        _methods.ROOT, pb.RootRequest(key=to.key), to.ctx, timeout=to.timeout, about=to.key
    )
    now = _convert.root(reply.root)
    refusal.actual = now.path
    if now.link_key:
        refusal.add_note("what has changed in a private bucket cannot be told, so it was not tried again")
        raise refusal
    trees = _Trees(to.channel, ctx.without("thread"), to.timeout)
    try:
        changed = await trees.changed(_convert.content(to.root), now.cid, paths)
    except TextileError as failure:
        refusal.add_note("what has changed cannot be told: the hub does not list the old root any more")
        raise refusal from failure
    if changed is not None:
        refusal.add_note(f"somebody else has changed {changed}")
        raise refusal
    return now.path


class _Trees:
    """Directories by their CIDs."""

    def __init__(self, channel: Channel, ctx: AuthContext, timeout: float | None) -> None:
        self._channel = channel
        self._ctx = ctx
        self._timeout = timeout

    async def changed(
        self, before: Cid | None, after: Cid | None, paths: Sequence[_Path], above: str = ""
    ) -> str | None:
        """The first of the paths that is not the same in two directories; None if all are."""
        if before == after:
            return None
        old, new = await self._entries(before), await self._entries(after)
        by_name: defaultdict[str, list[_Path]] = defaultdict(list)
        for path in paths:
            by_name[path[0]].append(path[1:])
        for name, rests in by_name.items():
            was, now = old.get(name), new.get(name)
            if was == now:
                continue
            here = f"{above}{name}"
            directories = all(entry is None or entry[1] for entry in (was, now))
            if not directories or () in rests:
                return here
            deeper = await self.changed(was and was[0], now and now[0], rests, f"{here}/")
            if deeper is not None:
                return deeper
        return None

    async def _entries(self, directory: Cid | None) -> _Entries:
        if directory is None:
            return {}
        reply = await self._channel.unary(
            _methods.LIST_IPFS_PATH,
            pb.ListIpfsPathRequest(path=f"{_convert.IPFS}{directory}"),
            self._ctx,
            timeout=self._timeout,
            about=str(directory),
        )
        return {item.name: (item.cid, item.is_dir) for item in _convert.item(reply.item).items}
