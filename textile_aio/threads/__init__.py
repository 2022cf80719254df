"""Threads: the client for ``threads.pb.API``."""
