"""Changes of a typed collection, with objects of its class in them."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from types import TracebackType
from typing import Generic, Self, TypeVar

from textile_aio.threads.listening.listening import Listening
from textile_aio.threads.listening.values import ChangeAction, Gap
from textile_aio.threads.typed.codec import Codec

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TypedChange(Generic[T]):
    """One change of one instance; a :class:`~textile_aio.Change` with an object.

    Attributes:
        id: Id of the instance.
        action: What was done.
        instance: The instance as it was when the hub sent this, which may be later than the change; None for
            a deletion, or if it has been deleted since.
        position: Where to go on listening after this one; None at a hub that does not say.
        is_repeat: True for an instance that was read again after a gap, and may have been told before.
    """

    id: str
    action: ChangeAction
    _: KW_ONLY
    instance: T | None
    position: str | None = None
    is_repeat: bool = False


class TypedListening(Generic[T]):
    """The changes of a collection: an async iterator of :class:`TypedChange` and :class:`~textile_aio.Gap`.

    Made by :meth:`Collection.listen <textile_aio.Collection.listen>`. When it is registered, how it comes
    back after a cut, and how it ends is as for :class:`~textile_aio.Listening`.
    """

    def __init__(self, raw: Listening, codec: Codec[T]) -> None:
        self._raw = raw
        self._codec = codec

    @property
    def position(self) -> str | None:
        """Where to go on later with ``since=``: after the last change that was taken. None if not known."""
        return self._raw.position

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> TypedChange[T] | Gap:
        """The next change.

        Raises:
            SchemaViolation: The instance is no object of the class; ``about`` is its id. The next step goes
                on with the next change.
            TextileError: The hub refuses, or stayed away for longer than the policy allows.
        """
        event = await anext(self._raw)
        if isinstance(event, Gap):
            return event
        instance = None if event.instance is None else self._codec.load_document(event.instance)
        return TypedChange(
            event.id,
            event.action,
            instance=instance,
            position=event.position,
            is_repeat=event.is_repeat,
        )

    async def __aenter__(self) -> Self:
        await self._raw.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._raw.__aexit__(kind, error, traceback)

    async def aclose(self) -> None:
        """Stop listening. Doing it again does nothing."""
        await self._raw.aclose()
