"""The thread network: the client for ``threads.net.pb.API``, which serves threads, their logs and records."""
