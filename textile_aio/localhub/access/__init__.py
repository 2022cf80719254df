"""Who is calling, and whether the call may go on: decided before any handler runs.

``methods`` lists what is special about which method, ``authentication`` turns headers into a
:class:`~textile_aio.localhub.access.caller.Caller`, ``ownership`` decides about threads. The tables
are those of spec: identity-and-auth §10.
"""
