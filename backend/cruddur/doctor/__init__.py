"""Check the environment of the service: its variables, database, sinks and addresses."""
