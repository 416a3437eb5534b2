"""
RDS's PostgreSQL as servers of this machine: one for each DB instance of its own, and for each Aurora cluster.

`engines.py` follows what RDS's API is asked for, `server.py` is one server, `fleet.py` makes
them and copies of their data. Loaded only by a sandbox that runs what is in it.
"""
