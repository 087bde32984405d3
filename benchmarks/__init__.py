"""Benchmarks of cost and speed, against peers and under load. See docs/performance.md."""
