"""The DuckDB file: its schema, the thread that writes it, its bounds."""
