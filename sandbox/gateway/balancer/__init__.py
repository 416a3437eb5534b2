"""
The data plane of Application Load Balancers, on loopback: what clients reach at a load balancer's DNSName.

Moto keeps listeners, rules and targets, and each request is led by them as they are at that moment
(`view.py`). `balancers.py` is the way in: one thread with one event loop serves all load balancers.
`rules.py`, `actions.py`, `headers.py` and `health.py` decide and do nothing else; `connection.py` has a
client's connection, `exchange.py` one request. Not done: AWS WAF, HTTP/2, stickiness, sign-in, slow start.
"""
