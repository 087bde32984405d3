"""Start, supervise and stop the processes of the service."""
