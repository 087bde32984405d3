"""The rules of Cruddur, without Quart and SQL: functions take plain values and a connection.

Services do not commit; the endpoint does. Accounts and their throttle are the exception: they take
the database, because an attempt has to count although the call fails.
"""
