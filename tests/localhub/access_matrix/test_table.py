"""The table itself: each method of each service has one row, and what a row says can be asked for."""

from __future__ import annotations

from typing import Any

import pytest
from grpclib.const import Cardinality

from tests.localhub.raw import METHODS
from textile_aio.localhub import HubSettings, LocalHub
from textile_aio.localhub.access import methods
from textile_aio.localhub.access.methods import Reach, Who
from textile_aio.localhub.routes import Routes


async def test_every_method_of_every_service_has_exactly_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Routes] = []

    class Recorded(Routes):
        def __init__(self, *parts: Any) -> None:
            super().__init__(*parts)
            served.append(self)

    monkeypatch.setattr("textile_aio.localhub.hub.Routes", Recorded)
    async with LocalHub.in_memory(HubSettings()):
        (routes,) = served
    rows = sorted(method for method, _ in methods.rows())
    assert rows == sorted(routes.__mapping__())
    assert rows == sorted(METHODS), "what the other tests of the matrix go through"


def test_a_thread_is_read_out_of_unary_requests_that_have_the_field() -> None:
    for method, row in methods.TABLE.items():
        if row.named_by:
            assert METHODS[method].cardinality is Cardinality.UNARY_UNARY, method
            assert isinstance(getattr(METHODS[method].request_type(), row.named_by), bytes), method


def test_whatever_makes_a_thread_names_it() -> None:
    assert all(row.named_by for row in methods.TABLE.values() if row.creates)


def test_whom_no_header_is_asked_for_no_thread_is_looked_at() -> None:
    assert all(
        row.reach is Reach.NONE
        for row in methods.TABLE.values()
        if row.who in (Who.ANYBODY, Who.NOBODY, Who.NEWCOMERS)
    )
