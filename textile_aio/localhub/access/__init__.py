"""Who is calling, and whether the call may go on: decided before any handler runs.

``methods`` is the access matrix: what each method asks for. ``authentication`` (with ``signatures``) turns
headers into a :class:`~textile_aio.localhub.access.caller.Caller`, ``ownership`` decides about threads,
``guards`` about kinds of callers; ``gatekeepers`` put these in their order, and ``throttle`` holds back
refusals. ``claims`` are the rows that track new threads. The rules are those of spec: identity-and-auth §10.
"""
