"""HTTP routes: parse, authenticate, open a unit of work, call a service, serialize."""
