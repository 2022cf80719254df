"""The gRPC services, thin: from messages to engines and back. They decide nothing."""
