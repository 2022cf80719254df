"""The generated classes by their names on the wire, for the tests beside this file."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import betterproto2
import grpclib.const
from betterproto2.casing import snake_case
from betterproto2.grpclib import ServiceBase

from tests.recorded import load
from textile_aio import _proto
from textile_aio._proto.message_pool import default_message_pool

FILES = ("grpc-frames", "grpc-frames-extra")
MODULES = [
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(_proto.__path__, f"{_proto.__name__}.")
]


def recorded(part: str) -> Iterator[Any]:
    """The entries of one part ("cases", "services", "schema", "enums") of both files."""
    for file in FILES:
        entries = load(file)[part]
        yield from entries.items() if isinstance(entries, dict) else entries


SCHEMA: dict[str, list[dict[str, Any]]] = dict(recorded("schema"))


def message_class(name: str) -> type[betterproto2.Message]:
    found: type[betterproto2.Message] = default_message_pool.url_to_type[f"type.googleapis.com/{name}"]
    return found


def message_name(kind: type[betterproto2.Message]) -> str:
    return default_message_pool.type_to_url[kind].removeprefix("type.googleapis.com/")


def metadata(kind: type[betterproto2.Message]) -> betterproto2.ProtoClassMetadata:
    described: Any = kind
    found: betterproto2.ProtoClassMetadata = described._betterproto
    return found


def attribute(kind: type[betterproto2.Message], field: dict[str, Any]) -> str:
    """The Python name of a field of the schema."""
    return metadata(kind).field_name_by_number[field["number"]]


def group(field: dict[str, Any]) -> str | None:
    """A field's oneof by its name in the .proto file; ``RetrievalTypeCase`` is the recorded form."""
    name = field.get("oneof")
    return snake_case(name.removesuffix("Case")) if name else None


def routes() -> dict[str, grpclib.const.Handler]:
    """Everything the generated server classes can be asked for."""
    bases: set[Any] = {
        value
        for module in MODULES
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, ServiceBase) and value is not ServiceBase
    }
    return {path: handler for base in bases for path, handler in base().__mapping__().items()}
