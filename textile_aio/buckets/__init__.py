"""Buckets: file trees in a thread, pushed, pulled and listed over ``api.bucketsd.pb.APIService``."""
