"""Queries as immutable values: made of expressions or dictionaries, written as the wire's JSON."""
