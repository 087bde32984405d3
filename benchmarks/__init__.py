"""What Cruddur costs and how fast it is, beside peers and under load. See docs/performance.md."""
