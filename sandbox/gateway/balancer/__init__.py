"""
The data plane of Application Load Balancers, on loopback: what clients reach at a load balancer's DNSName.

Moto stores listeners, rules and targets, and each request is routed by their current state (`view.py`).
`balancers.py` is the entry point: one thread with one event loop serves all load balancers. `rules.py`,
`actions.py`, `headers.py` and `health.py` only decide; `connection.py` has a client's connection,
`exchange.py` one request. Not implemented: AWS WAF, HTTP/2, stickiness, sign-in, slow start.
"""
