"""Listening to a database: every change, across cuts of the connection."""
