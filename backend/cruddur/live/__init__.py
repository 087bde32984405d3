"""Live: what just happened, told to every stream that is open.

    db/sql, triggers    an event is recorded by the transaction that causes it
     └ bus.py           wakes the followers of all processes
        └ follower.py   reads new events, once per process, and what they are about
           └ hub.py     knows who wants what, and hands each stream the same bytes
              └ stream.py   a bounded queue, and the ASGI answer without an end

`expiry.py` tells of what nobody causes: the end of a crud.
"""
