"""The only door to calls, for clients and for the hub.

``channel`` makes calls: ``call`` gives them deadline, metadata and retries, ``stream`` many messages,
``connection`` the connection they share. Below are the two ends of HTTP/2, ``grpc_channel`` and ``server``,
over ``protocol``, which takes DATA frames past h2; ``messages``, ``wire`` and ``codec`` turn frames into
messages.
"""
