"""Typed collections: the schema comes from a class, and instances are objects of it."""
