"""Buckets as the hub keeps them (spec: buckets-api).

A bucket is a document of the collection ``buckets`` in its thread (``document``), a tree of blocks, and
an IPNS key. ``rules`` decides who may read and change what, ``metadata`` keeps the access entries in
step with the tree, ``engine`` reads and writes all of it, ``pushing`` and ``pulling`` move bytes.
"""
