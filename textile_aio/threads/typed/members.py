"""The fields of a class, whichever library it comes from, as far as a collection is concerned with them.

Owns what is read from a class and its annotations, and the rules that its fields have to keep. How values
become JSON is in ``shapes``. pydantic and msgspec are taken from where the class comes from, never imported.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from sys import modules
from typing import Annotated, Any, Final, Literal, NewType, Union, get_args, get_origin

from textile_aio.errors import InvalidInput
from textile_aio.threads.documents import model_type, struct_type
from textile_aio.threads.typed.markers import Alias, Id, Modified
from textile_aio.threads.typed.scalars import scalar
from textile_aio.threads.values import Index

UNSET: Any = object()
"""Stands for a default that there is not, or that is made anew each time."""


@dataclass(frozen=True, slots=True)
class Hint:
    """An annotation taken apart.

    Attributes:
        type: What is left without ``Annotated``, aliases and None.
        optional: None is allowed as well.
        metadata: What ``Annotated`` adds, from the outside in.
    """

    type: Any
    optional: bool
    metadata: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A field of a class.

    Attributes:
        name: The attribute.
        stored: The name in JSON.
        hint: Its annotation.
        required: There is no default.
        default: The default where it is a plain value, else ``UNSET``.
        init: It is an argument of the class.
    """

    name: str
    stored: str
    hint: Hint
    required: bool
    default: Any
    init: bool = True

    @property
    def nullable(self) -> bool:
        """Whether its value may be None."""
        return self.hint.optional or self.hint.type in (Any, object)


def bare(annotation: Any) -> Hint:
    """An annotation without everything that does not say what kind of value it is."""
    optional = False
    metadata: list[Any] = []
    while True:
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            metadata += arguments[1:]
            annotation = arguments[0]
        elif origin is Final:
            annotation = arguments[0]
        elif isinstance(annotation, NewType):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":  # of Python 3.12, or of typing_extensions
            annotation = annotation.__value__
        elif origin in (Union, types.UnionType) and type(None) in arguments:
            optional = True
            annotation = Union[tuple(each for each in arguments if each is not type(None))]  # noqa: UP007
        elif origin is Literal and None in arguments:
            optional = True
            annotation = Literal[tuple(each for each in arguments if each is not None)]
        else:
            return Hint(annotation, optional, tuple(metadata))


def is_structured(kind: Any) -> bool:
    """True for classes whose instances are objects in JSON: dataclasses, models, structs."""
    if not isinstance(kind, type) or scalar(kind):  # some ids are dataclasses
        return False
    return dataclasses.is_dataclass(kind) or is_model(kind) or is_struct(kind)


def is_model(kind: type) -> bool:
    """True for models and dataclasses of pydantic."""
    return issubclass(kind, model_type()) or "__pydantic_validator__" in vars(kind)


def is_struct(kind: type) -> bool:
    """True for structs of msgspec."""
    return issubclass(kind, struct_type())


def members(kind: type) -> tuple[Member, ...]:
    """The fields of a structured class.

    Raises:
        InvalidInput: The class breaks a rule that keeps instances the same on their way through the hub.
    """
    return _members(kind)


@lru_cache(maxsize=512)
def _members(kind: type) -> tuple[Member, ...]:
    if is_model(kind):
        found = list(_of_model(kind))
    elif is_struct(kind):
        found = list(_of_struct(kind))
    else:
        found = list(_of_dataclass(kind))
    stored: dict[str, Member] = {}
    for member in found:
        _check(kind, member)
        if member.stored in stored:
            raise InvalidInput(
                f"{kind.__name__}.{member.name} and .{stored[member.stored].name} are both stored as "
                f"{member.stored!r}"
            )
        stored[member.stored] = member
    return tuple(found)


def parts(hint: Any) -> Iterator[type]:
    """All structured classes that an annotation leads to, through lists, dictionaries and alternatives."""
    kind = bare(hint).type
    if is_structured(kind):
        yield kind
        return
    for argument in get_args(kind):
        if argument is not Ellipsis and get_origin(kind) is not Literal:
            yield from parts(argument)


def _of_dataclass(kind: Any) -> Iterator[Member]:
    hints = _hints(kind)
    for field in kind.__dataclass_fields__.values():
        if field._field_type.name == "_FIELD_INITVAR":
            raise InvalidInput(
                f"{kind.__name__}.{field.name} is an InitVar: it is not kept, so that no instance could be "
                "made again from what is stored"
            )
    for field in dataclasses.fields(kind):
        hint = bare(hints[field.name])
        names = [each.name for each in hint.metadata if isinstance(each, Alias)]
        plain = field.default is not dataclasses.MISSING
        made = field.default_factory is not dataclasses.MISSING
        yield Member(
            field.name,
            names[0] if names else field.name,
            hint,
            required=not (plain or made) and field.init,
            default=field.default if plain else UNSET,
            init=field.init,
        )


def _of_model(kind: Any) -> Iterator[Member]:
    undefined = modules["pydantic_core"].PydanticUndefined
    config = getattr(kind, "model_config", None) or getattr(kind, "__pydantic_config__", None) or {}
    if config.get("extra") == "forbid" and getattr(kind, "__pydantic_computed_fields__", None):
        raise InvalidInput(
            f"{kind.__name__} computes fields and forbids members that it does not know: what it writes it "
            "would not read. Allow or ignore extra members"
        )
    for name, field in kind.__pydantic_fields__.items():
        if field.exclude:
            if field.is_required():
                raise InvalidInput(f"{kind.__name__}.{name} is never written and has no default")
            continue
        stored = field.serialization_alias or field.alias or name
        readable = _readable_names(name, field.validation_alias)
        if config.get("populate_by_name") or config.get("validate_by_name"):
            readable.add(name)
        if stored not in readable:
            raise InvalidInput(
                f"{kind.__name__}.{name} is written as {stored!r} and read as {', '.join(sorted(readable))}; "
                "give it one alias for both"
            )
        hint = bare(field.annotation)
        yield Member(
            name,
            stored,
            Hint(hint.type, hint.optional, (*field.metadata, *hint.metadata)),
            required=field.is_required(),
            default=UNSET if field.default is undefined else field.default,
        )


def _readable_names(name: str, alias: Any) -> set[str]:
    if alias is None:
        return {name}
    choices = getattr(alias, "choices", [alias])
    return {each for each in choices if isinstance(each, str)}


def _of_struct(kind: Any) -> Iterator[Member]:
    msgspec = modules["msgspec"]
    try:
        fields = msgspec.structs.fields(kind)
    except NameError as error:
        raise _unresolved(kind, error) from error
    for field in fields:
        plain = field.default is not msgspec.NODEFAULT
        yield Member(
            field.name,
            field.encode_name,
            bare(field.type),
            required=field.required,
            default=field.default if plain else UNSET,
        )


def _hints(kind: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(kind, include_extras=True)
    except NameError as error:
        raise _unresolved(kind, error) from error


def _unresolved(kind: type, error: NameError) -> InvalidInput:
    return InvalidInput(
        f"an annotation of {kind.__name__} cannot be resolved ({error}); classes of collections, and what "
        "their annotations name, are defined at the top of a module"
    )


def _check(kind: type, member: Member) -> None:
    where = f"{kind.__name__}.{member.name}"
    for mark in member.hint.metadata:
        if isinstance(mark, type) and mark in (Alias, Id, Index, Modified):
            raise InvalidInput(f"{where} is annotated with a class; write {mark.__name__}(…), with brackets")
    if any(isinstance(each, Alias) for each in member.hint.metadata) and (is_model(kind) or is_struct(kind)):
        raise InvalidInput(
            f"{where} has an Alias, which is for dataclasses; pydantic and msgspec have a way of their own"
        )
    if not member.nullable:
        return
    if member.default not in (None, UNSET):
        raise InvalidInput(
            f"{where} may be None and has another default. None is kept by leaving the member out, so that "
            "a missing one has to mean None: make that the default"
        )
    if member.required and (is_model(kind) or is_struct(kind)):
        raise InvalidInput(
            f"{where} may be None and has no default. None is kept by leaving the member out: add '= None'"
        )
