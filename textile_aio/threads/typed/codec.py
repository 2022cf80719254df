"""The two ways of an instance: from an object to the JSON that a hub keeps, and back; and what defines it.

Owns what a collection makes of a class as a whole: its schema and indexes, and the members that are not like
others, ``_id`` and ``_mod``.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from sys import modules
from typing import Any, Generic, TypeVar

from textile_aio.errors import InvalidInput, SchemaViolation
from textile_aio.threads.decoding import decode
from textile_aio.threads.documents import encode
from textile_aio.threads.typed.draft4 import Draft4
from textile_aio.threads.typed.indexes import indexes_of
from textile_aio.threads.typed.markers import Id, Modified
from textile_aio.threads.typed.members import Member, is_model, is_struct, is_structured, members
from textile_aio.threads.typed.objects import Shapes
from textile_aio.threads.typed.scalars import rfc3339
from textile_aio.threads.typed.shapes import Misfit, Shape, without_null
from textile_aio.threads.values import Index

T = TypeVar("T")

ID, MODIFIED = "_id", "_mod"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """What is known of the class of a collection; made by :func:`codec_of`.

    Attributes:
        kind: The class.
        schema: The JSON schema of the collection.
        indexes: As annotations ask for them, ordered by path.
        loosened: What the class says and a hub does not heed, a sentence each.
        id: The field with the id.
        modified: The field with the time of the last write, None if there is none.
    """

    kind: type[T]
    schema: dict[str, Any]
    indexes: tuple[Index, ...]
    loosened: tuple[str, ...]
    id: Member
    modified: Member | None
    _shape: Shape

    def dump(self, instance: T) -> bytes:
        """The JSON text of an instance; members that are None are left out.

        Raises:
            InvalidInput: It is not of the class, or JSON cannot say a value.
        """
        if type(instance) is not self.kind:
            raise InvalidInput(
                f"the collection is one of {self.kind.__name__}, and this is {type(instance).__name__}"
            )
        try:
            document = without_null(self._shape.dump(instance))
        except Misfit as misfit:
            raise InvalidInput(
                f"the {self.kind.__name__} cannot be sent; {misfit}", about=self.id_of(instance)
            ) from misfit.__cause__
        found = document.pop(self.id.stored, None)
        if self.modified is not None:
            document.pop(self.modified.stored, None)
        return encode({ID: found or "", **document})

    def load(self, data: bytes) -> T:
        """The instance that a JSON text from a hub says.

        Raises:
            SchemaViolation: It does not fit the class.
            ProtocolError: It is no JSON.
        """
        return self.load_document(decode(data))

    def load_document(self, document: Any) -> T:
        """As :meth:`load`, of a document that is decoded already."""
        about = str(document.get(ID, "")) if isinstance(document, dict) else ""
        try:
            instance: T = self._shape.load(self._with_names(document))
        except Misfit as misfit:
            raise SchemaViolation(
                f"the document is no {self.kind.__name__}: {misfit}", about=about
            ) from misfit.__cause__
        return instance

    def id_of(self, instance: T) -> str:
        """The id of an instance, empty if it has none yet."""
        return getattr(instance, self.id.name) or ""

    def with_id(self, instance: T, id: str) -> T:  # noqa: A002
        """A copy of an instance with an id."""
        if self.id_of(instance) == id:
            return instance
        changed: Any
        if is_struct(self.kind):
            changed = modules["msgspec"].structs.replace(instance, **{self.id.name: id})
        elif is_model(self.kind) and not dataclasses.is_dataclass(self.kind):
            changed = instance.model_copy(update={self.id.name: id})  # type: ignore[attr-defined]  # pydantic's
        elif self.id.init:
            changed = dataclasses.replace(instance, **{self.id.name: id})  # type: ignore[type-var]
        else:
            changed = copy.copy(instance)
            object.__setattr__(changed, self.id.name, id)
        return changed  # type: ignore[no-any-return]

    def _with_names(self, document: Any) -> Any:
        """A document with ``_id`` and ``_mod`` under the names that the class has for them, or without."""
        if not isinstance(document, dict):
            return document
        rest = {name: value for name, value in document.items() if name not in (ID, MODIFIED)}
        if ID in document:
            rest[self.id.stored] = document[ID]
        if self.modified is not None and isinstance(moment := document.get(MODIFIED), int):
            rest[self.modified.stored] = _moment(moment) if self.modified.hint.type is datetime else moment
        return rest


def codec_of(kind: type[T], indexes: Iterable[Index] = ()) -> Codec[T]:
    """What a collection makes of a class.

    Args:
        kind: A dataclass, a pydantic model or a msgspec struct.
        indexes: Beside those of annotations.

    Raises:
        InvalidInput: It cannot be that of a collection; the text says what to do.
    """
    if not is_structured(kind):
        raise InvalidInput(
            "a typed collection is one of a dataclass, a pydantic model or a msgspec struct, "
            f"not of {kind!r:.100}"
        )
    fields = members(kind)
    id_, modified = _id_field(kind, fields), _modified_field(kind, fields)
    made = Shapes()
    shape = made.of_class(kind)
    source = _root(kind, made.definitions, shape.schema, id_, modified)
    conversion = Draft4(made.definitions)
    schema = conversion.document(source)
    kept, passed_over = indexes_of(kind, indexes, schema)
    return Codec(
        kind,
        schema,
        kept,
        (*conversion.loosened, *passed_over),
        id_,
        modified,
        shape,
    )


def _root(
    kind: type, definitions: dict[str, Any], schema: dict[str, Any], id_: Member, modified: Member | None
) -> dict[str, Any]:
    """The schema of documents: that of the class, with the hub's names for what the hub knows."""
    root = dict(definitions[schema["$ref"].rpartition("/")[2]])
    if root.get("type") != "object":
        raise InvalidInput(f"a {kind.__name__} is no object in JSON, as every instance has to be")
    apart = {id_.stored, ID} | ({modified.stored} if modified else set())
    rest = {name: each for name, each in root.get("properties", {}).items() if name not in apart}
    root["properties"] = {ID: {"type": "string"}, **rest}
    root["required"] = [name for name in root.get("required", ()) if name not in apart]
    return root


def _id_field(kind: type, fields: tuple[Member, ...]) -> Member:
    marked = [each for each in fields if any(isinstance(m, Id) for m in each.hint.metadata)]
    named = [each for each in fields if each.stored == ID] or [each for each in fields if each.name == "id"]
    found = marked or named
    if not found:
        raise InvalidInput(
            f"{kind.__name__} has no field for the id of an instance; add one with a default, such as "
            "'id: str = \"\"', or mark one: 'code: Annotated[str, Id()]'"
        )
    if len(found) > 1:
        raise InvalidInput(f"{kind.__name__} has several fields that are marked as the id")
    if found[0].hint.type is not str:
        raise InvalidInput(
            f"{kind.__name__}.{found[0].name} is the id of an instance, and ids are text: make it 'str', or "
            "mark another field with Id()"
        )
    return found[0]


def _modified_field(kind: type, fields: tuple[Member, ...]) -> Member | None:
    marked = [each for each in fields if any(isinstance(m, Modified) for m in each.hint.metadata)]
    found = marked or [each for each in fields if each.stored == MODIFIED]
    if not found:
        return None
    where = f"{kind.__name__}.{found[0].name}"
    if len(found) > 1 or found[0].hint.type not in (int, datetime):
        raise InvalidInput(
            f"{where} shows the time of the last write: there can be one such field, int or datetime"
        )
    if found[0].required:
        raise InvalidInput(
            f"{where} is set by the hub; give it a default for instances that are not written yet"
        )
    return found[0]


def _moment(nanoseconds: int) -> str:
    return rfc3339(_EPOCH + timedelta(microseconds=nanoseconds // 1000))
