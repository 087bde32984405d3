"""Other services for some of Cruddur's routes, each written as its framework recommends.

They run the statements of `cruddur.db` on the same rows and return the same JSON. They read no
query parameters or cursors, and send no `Link` or `ETag` headers, which is to their advantage.
"""
