"""A load balancer of a sandbox with its gateway, and clients of it."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sandbox.clock import Clock, RealClock
from sandbox.gateway import Gateway
from sandbox.gateway.balancer.balancers import Balancers
from sandbox.gateway.balancer.front import Front
from sandbox.server import Sandbox
from sandbox.services.services import Services
from tests.command import KEY
from tests.sandbox.gateway.stand_in_targets import StandIn
from tests.sandbox.provision_world import REGION
from tests.sandbox.sandbox_account import client, services

Json = dict[str, Any]
NOT_FOUND = {
    "Type": "fixed-response",
    "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "Not found"},
}
PATIENCE = 10.0


@dataclass(frozen=True)
class Told:
    """One response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def echoed(self) -> Json:
        """The request as the target received it."""
        found: Json = json.loads(self.body)
        return found

    def sent(self, name: str) -> list[str]:
        """The values of a header that the target received."""
        return [value for key, value in self.echoed["headers"] if key == name]


@dataclass
class World:
    """An account with two subnets and a load balancer; new resources get unique names."""

    sandbox: Sandbox
    folder: Path
    number: int = 0

    @cached_property
    def elb(self) -> Any:
        return client(self.sandbox, "elbv2")

    @property
    def balancers(self) -> Balancers:
        (front,) = services(self.sandbox)._beside
        assert isinstance(front, Front)
        return front.balancers

    @cached_property
    def subnets(self) -> list[str]:
        """Two subnets of the default VPC; an EC2 client takes long to create."""
        found = services(self.sandbox).backend("ec2", REGION).get_default_subnets()
        return [one.id for one in found.values()][:2]

    @cached_property
    def vpc(self) -> str:
        found = services(self.sandbox).backend("ec2", REGION).get_default_vpc()
        return str(found.id)

    def unique(self, word: str) -> str:
        self.number += 1
        return f"{word}-{self.number}"

    def balancer(self, **attributes: str) -> Json:
        made: Json = self.elb.create_load_balancer(Name=self.unique("lb"), Subnets=self.subnets)
        found: Json = made["LoadBalancers"][0]
        if attributes:
            given = [{"Key": key.replace("__", "."), "Value": value} for key, value in attributes.items()]
            self.elb.modify_load_balancer_attributes(
                LoadBalancerArn=found["LoadBalancerArn"], Attributes=given
            )
        return found

    def group(self, *targets: StandIn, **how: Any) -> str:
        given = {"Protocol": "HTTP", "Port": 80, "VpcId": self.vpc, "TargetType": "ip"}
        health = {"HealthCheckPath": "/health", "HealthCheckTimeoutSeconds": 2}
        made = self.elb.create_target_group(Name=self.unique("tg"), **{**given, **health, **how})
        arn: str = made["TargetGroups"][0]["TargetGroupArn"]
        self.register(arn, *targets)
        return arn

    def register(self, group: str, *targets: StandIn) -> None:
        if targets:
            self.elb.register_targets(TargetGroupArn=group, Targets=[one.target for one in targets])

    def deregister(self, group: str, *targets: StandIn) -> None:
        self.elb.deregister_targets(TargetGroupArn=group, Targets=[one.target for one in targets])

    def listener(self, balancer: Json, *actions: Json, port: int = 80, **how: Any) -> str:
        made = self.elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Port=port,
            **{"Protocol": "HTTP", **how},
            DefaultActions=list(actions or [NOT_FOUND]),
        )
        arn: str = made["Listeners"][0]["ListenerArn"]
        return arn

    def rule(self, listener: str, priority: int, conditions: list[Json], *actions: Json) -> str:
        made = self.elb.create_rule(
            ListenerArn=listener, Priority=priority, Conditions=conditions, Actions=list(actions)
        )
        arn: str = made["Rules"][0]["RuleArn"]
        return arn

    def leading(self, *targets: StandIn, **attributes: str) -> tuple[str, str]:
        """Return the host of a load balancer that forwards everything to *targets*, and their group."""
        balancer, group = self.balancer(**attributes), self.group(*targets)
        self.listener(balancer, forward(group))
        for one in targets:
            self.eventually(lambda one=one: self.state(group, one) == "healthy")  # type: ignore[misc]
        return str(balancer["DNSName"]), group

    def health(self, group: str) -> dict[str, Json]:
        """Return the health of each target of *group* by its address."""
        found = self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {one["Target"]["Id"]: one["TargetHealth"] for one in found}

    def state(self, group: str, target: StandIn) -> str:
        return str(self.health(group).get(target.target["Id"], {}).get("State", "none"))

    def eventually(self, holds: Callable[[], object]) -> None:
        until = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < until, "it did not happen in time"
            time.sleep(0.01)


def forward(*groups: str, weights: tuple[int, ...] = ()) -> Json:
    """Return the action that forwards to *groups*."""
    if not weights:
        return {"Type": "forward", "TargetGroupArn": groups[0]}
    named = [{"TargetGroupArn": one, "Weight": weight} for one, weight in zip(groups, weights, strict=True)]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": named}}


def ask(host: str, path: str = "/", method: str = "GET", body: Any = None, **headers: str) -> Told:
    """Send one request to the load balancer at *host*, on a connection of its own."""
    connection = http.client.HTTPConnection(host, timeout=PATIENCE)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(
            method, path, body, named, encode_chunked=body is not None and not isinstance(body, bytes)
        )
        answer = connection.getresponse()
        return Told(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def said(host: str, text: bytes) -> bytes:
    """Send *text* as it is, and return the response until the connection is closed."""
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(text)
        found = b""
        while piece := connection.recv(65_536):
            found += piece
        return found


@contextmanager
def world(folder: Path, clock: Clock | None = None) -> Iterator[World]:
    """Give an empty account with running load balancers; a sandbox minute takes a tenth of a second."""
    Services().reset()
    with Sandbox(clock=clock or RealClock(600.0), key=KEY, gateway=Gateway(folder)) as sandbox:
        yield World(sandbox, folder)
