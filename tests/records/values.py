"""Strategies for what DAG-CBOR holds."""

from __future__ import annotations

import hashlib
from typing import Any

from hypothesis import strategies as st

from textile_aio.ids import Cid

texts = st.text(max_size=40)
links = st.one_of(
    st.binary(max_size=8).map(lambda data: Cid.sha256(0x71, hashlib.sha256(data).digest())),
    st.binary(max_size=8).map(lambda data: Cid.sha256(0x70, hashlib.sha256(data).digest(), version=0)),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 64), (1 << 64) - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
    st.binary(max_size=300),
    links,
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=30), st.dictionaries(texts, inner, max_size=30)),
    max_leaves=40,
)
