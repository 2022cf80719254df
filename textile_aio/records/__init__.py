"""Records: what thread logs are made of, as bytes and values.

``record`` seals and opens one record, ``events`` reads and writes the changes a database's record carries,
``dagcbor`` gives every value its one form, ``counters`` the form of a log's length. Nothing here does I/O.
"""
