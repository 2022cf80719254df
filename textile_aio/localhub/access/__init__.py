"""Who is calling, and whether the call may go on: decided before any handler runs.

``methods`` is the table of what holds for which method. ``authentication`` turns headers into a
:class:`~textile_aio.localhub.access.caller.Caller`, ``ownership`` decides about threads, and ``guards``
about kinds of callers. The rules are those of spec: identity-and-auth §10 and hub-accounts §3, §4.
"""
