"""The only code that uses PostgreSQL. The statements are in `sql/`."""
