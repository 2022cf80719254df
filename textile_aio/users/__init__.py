"""Users: the client for ``api.usersd.pb.APIService``."""
