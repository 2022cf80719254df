"""A collection held in a dictionary, that answers the calls on instances as the specification has it.

It knows the wire's queries by the rules of spec threads-api §6 and nothing of ours, so that what our client
sends is judged by another reading of them.
"""

from __future__ import annotations

import json
from typing import Any

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from tests.fakehub import FakeHub, received
from textile_aio._proto.threads import pb
from textile_aio.threads._methods import FIND, READ_TRANSACTION, WRITE_TRANSACTION


def matches(query: dict[str, Any], document: dict[str, Any]) -> bool:
    """All criteria, or any of the other queries."""
    if all(_holds(each, document) for each in query.get("ands") or []):
        return True
    return any(matches(each, document) for each in query.get("ors") or [])


def field(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _holds(criterion: dict[str, Any], document: dict[str, Any]) -> bool:
    value = field(document, criterion["fieldPath"])
    ((kind, wanted),) = criterion["value"].items()
    if {str: "string", bool: "bool", int: "float", float: "float"}.get(type(value)) != kind:
        return False
    order = (value > wanted) - (value < wanted)
    outcomes = [order == 0, order != 0, order > 0, order < 0, order >= 0, order <= 0]
    return bool(outcomes[criterion["operation"]])


class FakeDatabase:
    """One collection.

    Attributes:
        queries: All that were asked, decoded.
        limit: Bytes of the largest answer.
    """

    def __init__(self, documents: list[dict[str, Any]], *, limit: int = 4 * 1024 * 1024) -> None:
        self.documents = {each["_id"]: each for each in documents}
        self.limit = limit
        self.queries: list[dict[str, Any]] = []

    def find(self, query_json: bytes) -> list[bytes]:
        query = json.loads(query_json)
        self.queries.append(query)
        sort = query.get("sort") or {"fieldPath": "_id", "desc": False}
        path, descending = sort["fieldPath"], sort["desc"]
        ids = sorted(self.documents, reverse=descending and path == "_id")
        seek = query.get("seek", "")
        if seek:
            ids = [each for each in ids if (each <= seek if descending and path == "_id" else each >= seek)]
        found = [self.documents[each] for each in ids if matches(query, self.documents[each])]
        if path != "_id":
            found.sort(key=lambda document: field(document, path), reverse=descending)
        found = found[query.get("skip", 0) :]
        if query.get("limit", 0) > 0:
            found = found[: query["limit"]]
        rows = [json.dumps(each).encode() for each in found]
        if sum(map(len, rows)) > self.limit:
            text = f"trying to send message larger than max ({sum(map(len, rows))} vs. {self.limit})"
            raise GRPCError(Status.RESOURCE_EXHAUSTED, text)
        return rows

    def serve(self, fake: FakeHub) -> None:
        """Answer Find, also in transactions, where an error is a text in the reply."""

        async def find(stream: Stream[Any, Any]) -> None:
            request = await received(stream)
            await stream.send_message(pb.FindReply(instances=self.find(request.query_json)))

        async def transaction(stream: Stream[Any, Any], reply_type: Any) -> None:
            await received(stream)
            async for message in stream:
                try:
                    reply = pb.FindReply(instances=self.find(message.find_request.query_json))
                except GRPCError as error:
                    reply = pb.FindReply(transaction_error=error.message or "")
                await stream.send_message(reply_type(find_reply=reply))

        fake.on(FIND, find)
        fake.on(READ_TRANSACTION, lambda stream: transaction(stream, pb.ReadTransactionReply))
        fake.on(WRITE_TRANSACTION, lambda stream: transaction(stream, pb.WriteTransactionReply))
