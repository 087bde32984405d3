"""Other services that answer some of Cruddur's routes, each as its framework advises.

They run the statements of `cruddur.db` against the same rows and give the same JSON. Queries
and cursors they do not read, and answers have no `Link` and no `ETag`: that is in their favour.
"""
