"""Live updates: publish each event to the open streams that subscribe to it.

    triggers            the transaction that causes an event records it in the log
     └ bus.py           wakes the followers of all processes
        └ follower.py   tails the event log, once per process
           ├ rendering.py   reads the rows that events refer to and encodes them once
           └ hub.py     delivers the bytes to each stream that subscribes to a topic of the event
              └ stream.py   a bounded queue of frames and an ASGI response without an end

`expiry.py` schedules the events that no transaction causes: expiries.
"""
