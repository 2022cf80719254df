"""Accounts: the client for ``api.hubd.pb.APIService``."""
