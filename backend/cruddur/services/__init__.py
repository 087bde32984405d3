"""The rules of Cruddur, without Quart and SQL: functions take plain values and a connection.

Services do not commit; the endpoint does. Accounts and their throttle are exceptions: they use the
database themselves, because an attempt must be counted even if the call fails.
"""
