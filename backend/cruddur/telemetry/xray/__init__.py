"""Export spans to AWS X-Ray through its daemon, its API or signed OTLP."""
