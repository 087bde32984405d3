"""Spans for AWS X-Ray, by three ways: its daemon, its API, or signed OTLP."""
