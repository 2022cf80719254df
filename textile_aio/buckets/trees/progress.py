"""How far a tree is: each file, and all together."""

from __future__ import annotations

from textile_aio.buckets.values import Progress, ProgressCallback


class WholeProgress:
    """Tells the progress of each file, and after it that of all together, under the empty path."""

    def __init__(self, told: ProgressCallback, total: int | None) -> None:
        self._told = told
        self._total = total
        self._done: dict[str, int] = {}
        self._all = 0

    def __call__(self, progress: Progress) -> None:
        """Take what is told of one file."""
        self._all += progress.done - self._done.get(progress.path, 0)
        self._done[progress.path] = progress.done
        if progress.done == progress.total:
            del self._done[progress.path]
        self._told(progress)
        self._told(Progress("", done=self._all, total=self._total))
