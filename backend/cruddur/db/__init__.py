"""The only package that depends on PostgreSQL and asyncpg."""
