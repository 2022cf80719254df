"""Who calls, as a part of what fsspec knows file systems by.

fsspec keeps each file system it makes, and gives it out again for options whose ``repr`` is the same. That of
an :class:`~textile_aio.AuthContext` hides what callers differ in, so two of them would get one file system,
and one of them the other's rights. Here each is given a number, and what comes from the environment counts as
well.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, ClassVar

from fsspec.spec import _Cached

from textile_aio.auth import AuthContext
from textile_aio.errors import InvalidInput

_environments: dict[tuple[tuple[str, str], ...], int] = {}


@dataclass(frozen=True, slots=True, repr=False)
class Caller:
    """A context among the options of a file system; shown with a number that no other context has."""

    ctx: AuthContext
    _numbers: ClassVar[dict[AuthContext, int]] = {}

    def __repr__(self) -> str:
        number = self._numbers.setdefault(self.ctx, len(self._numbers))
        return f"<caller {number}: {self.ctx!r}>"


class KnownByCaller(_Cached):  # type: ignore[misc]  # fsspec has no types
    """The class of file system classes that are kept for the same hub and the same caller."""

    @property
    def _environment(cls) -> str:  # noqa: N805 - of a metaclass
        """What file systems with few options take from the environment; fsspec makes it a part of the key."""
        named = tuple(sorted(item for item in os.environ.items() if item[0].startswith("TEXTILE_")))
        return f"environment {_environments.setdefault(named, len(_environments))}"

    def __call__(cls, *args: Any, **options: Any) -> Any:  # noqa: N805 - of a metaclass
        """A file system: one that is kept, or a new one."""
        ctx = options.get("ctx")
        if isinstance(ctx, AuthContext):
            options["ctx"] = Caller(ctx)
        elif ctx is not None and not isinstance(ctx, Caller):
            raise InvalidInput(f"ctx is an AuthContext, not {type(ctx).__name__}")
        if options.get("client") is not None:
            options["skip_instance_cache"] = True  # it is of use as long as its owner has it open
        return super().__call__(*args, **options)
