"""What runs in processes of its own: our client, and stock grpclib on either end."""
