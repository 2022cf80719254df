"""Byte formats of the field: varint, multibase, protobuf, CID, multiaddress, peer and thread ids.

Nothing here does I/O, keeps state or knows a service.
"""
