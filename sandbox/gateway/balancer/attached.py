"""Connects the data plane to the services: `local start --gateway` loads it."""

from __future__ import annotations

from sandbox.gateway import Gateway
from sandbox.gateway.balancer.front import Front
from sandbox.services.services import Services


def attach(services: Services, gateway: Gateway) -> Front:
    """Have the load balancers of *services* answer on loopback."""
    front = Front(services, gateway.folder)
    services.stand_before(front)
    services.service_tasks.counted_by(front.balancers.targets.requests)
    return front
