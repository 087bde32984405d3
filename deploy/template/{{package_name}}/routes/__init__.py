"""HTTP: parse a request, call a service, serialize the answer."""
