"""The rules of the service. No module here uses Quart or contains SQL."""
