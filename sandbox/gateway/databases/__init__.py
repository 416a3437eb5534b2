"""
RDS's PostgreSQL as local servers: one per DB instance, and one per Aurora cluster.

`engines.py` follows the calls to RDS's API, `server.py` is one server, `fleet.py` creates servers and copies
of their data. Loaded only by a sandbox with a gateway.
"""
