"""Bounded threads, child processes and the cancellation of tasks."""
