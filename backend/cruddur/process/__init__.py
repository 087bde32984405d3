"""Processes: what runs beside the application, and how it starts and ends."""
