"""Mailboxes: encrypted messages from one owner to another (spec: users-and-mail §3, §4).

``boxes`` says what a mailbox is, ``message`` what is kept of a message, ``page`` which messages a listing
shows, ``writing`` how boxes are written, ``mailboxes`` what owners do with theirs.
"""
