"""Folders of this machine into a bucket and out of it, sending only what differs."""
