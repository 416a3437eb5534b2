"""How targets are, what DescribeTargetHealth tells of it, and what a client sees while they change places."""

import asyncio
import http.client
import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.clock import ManualClock
from sandbox.gateway.balancer.checks import failed
from sandbox.gateway.balancer.health import FAILED, TIMEOUT, Failure
from sandbox.gateway.balancer.pace import Pace
from sandbox.gateway.balancer.targets import Address, Target, Targets
from sandbox.gateway.balancer.view import Check, Group
from tests.sandbox.gateway.balancer_world import World, ask, forward, world
from tests.sandbox.gateway.stand_in_targets import StandIn, stand_ins

CHECK = Check(
    enabled=True,
    protocol="HTTP",
    port="traffic-port",
    path="/health",
    interval=30,
    timeout=0.05,
    healthy=5,
    unhealthy=2,
    codes="200",
)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("state")) as made:
        yield made


@pytest.fixture
def targets() -> Iterator[list[StandIn]]:
    with stand_ins("127.0.0.2", "127.0.0.3") as made:
        yield made


def test_health_follows_the_checks_by_the_sandbox_s_clock(tmp_path: Path) -> None:
    clock = ManualClock()
    with stand_ins("127.0.0.2") as (target,), world(tmp_path, clock) as account:
        balancer = account.balancer()
        rarely = {"HealthCheckIntervalSeconds": 300}
        group = account.group(target, HealthyThresholdCount=2, UnhealthyThresholdCount=2, **rarely)

        def after(status: int) -> dict[str, str]:
            """Return the health after one more check, which the target answers with *status*."""
            target.health, before = status, target.checks
            clock.advance(300)
            account.eventually(lambda: target.checks > before and not _checking(account))
            return account.health(group)["127.0.0.2"]

        assert account.health(group)["127.0.0.2"] == {
            "State": "unused",
            "Reason": "Target.NotInUse",
            "Description": "Target group is not configured to receive traffic from the load balancer",
        }
        target.health = 500
        account.listener(balancer, forward(group))
        account.eventually(lambda: target.checks == 1 and not _checking(account))
        assert account.health(group)["127.0.0.2"] == {
            "State": "initial",
            "Reason": "Elb.InitialHealthChecking",
            "Description": "Initial health checks in progress",
        }
        assert after(200) == {"State": "healthy"}
        assert after(500) == {"State": "healthy"}
        assert after(500) == {
            "State": "unhealthy",
            "Reason": "Target.ResponseCodeMismatch",
            "Description": "Health checks failed with these codes: [500]",
        }
        assert [after(200)["State"], after(200)["State"]] == ["unhealthy", "healthy"]


def test_a_new_target_has_the_real_seconds_to_start_that_it_has_on_aws() -> None:
    real, group = [0.0], Group("arn:r:", "HTTP", 80, "HTTP1", CHECK, 300, [("127.0.0.2", 1)], used=True)
    targets = Targets(lambda: 0.0, lambda: real[0])
    targets.sync([group], "r")

    def after_failure(at: float) -> str:
        real[0] = at
        ((target, _),) = targets.described("arn:r:")
        targets.checked(target, FAILED)
        return target.health.state

    assert [after_failure(at) for at in (1, 2, 3, 59, 61, 62)] == ["initial"] * 4 + ["initial", "unhealthy"]


def test_a_target_that_is_slow_to_answer_is_unhealthy_no_sooner_than_on_aws() -> None:
    real, group = [0.0], Group("arn:r:", "HTTP", 80, "HTTP1", CHECK, 300, [("127.0.0.2", 1)], used=True)
    targets = Targets(lambda: 0.0, lambda: real[0])
    targets.sync([group], "r")

    def after(at: float, *failures: Failure | None) -> str:
        real[0] = at
        ((target, _),) = targets.described("arn:r:")
        for each in failures:
            targets.checked(target, each)
        return target.health.state

    assert after(0, None) == "healthy"
    assert after(59, TIMEOUT, TIMEOUT, TIMEOUT) == "healthy"  # two checks, one each 30 seconds
    assert after(60, TIMEOUT, TIMEOUT) == "unhealthy"
    assert after(70, None, None, FAILED, FAILED) == "unhealthy"  # what refuses has not to be waited for


def test_a_target_that_was_not_yet_checked_gets_nothing_beside_an_unhealthy_one() -> None:
    old, new = ("127.0.0.2", 1), ("127.0.0.3", 1)
    targets = Targets(lambda: 0.0)

    def asked(*addresses: Address) -> set[Address]:
        targets.sync([Group("arn:r:", "HTTP", 80, "HTTP1", CHECK, 300, addresses, used=True)], "r")
        found = set()
        for _ in range(4):
            with targets.next("arn:r:") as target:
                found |= {target.address} if target else set()
        return found

    assert asked(new) == {new}
    ((target, _),) = asked(old) and targets.described("arn:r:")[:1]
    for each in (None, FAILED, FAILED):
        targets.checked(target, each)
    assert target.health.state == "unhealthy"
    assert asked(old, new) == {old}


def _checking(account: World) -> bool:
    balancers = account.balancers
    groups = balancers.targets._groups.values()
    return any(one.checking for each in groups for one in each.registered.values())


def test_time_goes_on_for_targets_while_the_sandbox_s_clock_stands_still() -> None:
    virtual, real = [1000.0], [0.0]
    pace = Pace(lambda: virtual[0], lambda: real[0])

    real[0] = 2.0
    assert pace.now() == 1120.0  # at the usual speed
    virtual[0], real[0] = 1030.0, 3.0
    assert pace.now() == 1150.0  # it was moved
    virtual[0], real[0] = 1031.0, 4.0
    assert pace.now() == 1151.0  # a slow clock is left its speed


def test_a_target_that_does_not_answer_a_check_tells_why() -> None:
    with stand_ins("127.0.0.6") as (gone,):
        refused = gone.target["Port"]

    def told(address: str, port: int) -> Failure | None:
        return asyncio.run(failed(Target("arn", (address, port), CHECK, used=True)))

    with socket.create_server(("127.0.0.7", 0)) as mute:
        assert told("127.0.0.7", mute.getsockname()[1]) == TIMEOUT
    assert told("127.0.0.6", refused) == FAILED
    assert TIMEOUT.reason == "Target.Timeout"
    assert FAILED.reason == "Target.FailedHealthChecks"


def test_an_unhealthy_target_gets_nothing_unless_all_are(account: World, targets: list[StandIn]) -> None:
    host, group = account.leading(*targets)
    targets[0].health = 500
    account.eventually(lambda: account.state(group, targets[0]) == "unhealthy")
    some = {ask(host).echoed["by"] for _ in range(6)}
    targets[1].health = 500
    account.eventually(lambda: account.state(group, targets[1]) == "unhealthy")
    every = {ask(host).echoed["by"] for _ in range(6)}

    assert some == {"127.0.0.3"}
    assert every == {"127.0.0.2", "127.0.0.3"}


def test_a_deregistered_target_ends_its_stream_and_gets_no_more(
    account: World, targets: list[StandIn]
) -> None:
    host, group = account.leading(targets[0])
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request("GET", "/stream")
    targets[0].next_piece.release()
    answer = connection.getresponse()
    assert answer.readline() == b"data: 0\n"
    account.register(group, targets[1])
    account.eventually(lambda: account.state(group, targets[1]) == "healthy")

    account.deregister(group, targets[0])
    draining = account.health(group)["127.0.0.2"]
    account.sandbox.clock.advance(10_000)
    late = account.state(group, targets[0])
    others = {ask(host).echoed["by"] for _ in range(4)}
    targets[0].next_piece.release(2)
    rest = answer.read()
    connection.close()

    assert draining == {
        "State": "draining",
        "Reason": "Target.DeregistrationInProgress",
        "Description": "Target deregistration is in progress",
    }
    assert late == "draining"  # a request is in flight: the delay is of real seconds
    assert others == {"127.0.0.3"}
    assert rest.endswith(b"data: 2\n\n")
    account.eventually(lambda: account.state(group, targets[0]) == "none")
    told = account.elb.describe_target_health(TargetGroupArn=group, Targets=[targets[0].target])
    assert told["TargetHealthDescriptions"][0]["TargetHealth"] == {
        "State": "unused",
        "Reason": "Target.NotRegistered",
        "Description": "Target is not registered to the target group",
    }


def test_a_target_may_come_back_while_it_drains(account: World, targets: list[StandIn]) -> None:
    host, group = account.leading(targets[0])
    account.deregister(group, targets[0])
    account.register(group, targets[0])

    account.eventually(lambda: account.state(group, targets[0]) == "healthy")
    assert ask(host).status == 200


def test_a_deleted_group_is_not_found(account: World) -> None:
    group = account.group()
    account.elb.delete_target_group(TargetGroupArn=group)

    with pytest.raises(account.elb.exceptions.TargetGroupNotFoundException):
        account.health(group)


class Client:
    """Asks again and again, by connections that are kept and by new ones, and streams meanwhile."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.told: list[object] = []
        self.ended = threading.Event()

    def kept(self) -> None:
        connection = http.client.HTTPConnection(self.host, timeout=10)
        while not self.ended.wait(0.01):
            try:
                connection.request("POST", "/v1", b"{}")
                answer = connection.getresponse()
                body = answer.read()
                self.told.append(json.loads(body)["by"] if answer.status == 200 else answer.status)
            except (OSError, http.client.HTTPException) as error:
                self.told.append(error)
                connection.close()
        connection.close()

    def anew(self) -> None:
        while not self.ended.wait(0.01):
            try:
                told = ask(self.host, "/v1")
                self.told.append(told.echoed["by"] if told.status == 200 else told.status)
            except (OSError, http.client.HTTPException) as error:
                self.told.append(error)

    def streams(self) -> None:
        while not self.ended.wait(0.01):
            try:
                told = ask(self.host, "/stream")
                whole = told.body == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
                self.told.append("stream" if whole and told.status == 200 else told)
            except (OSError, http.client.HTTPException) as error:
                self.told.append(error)


@contextmanager
def asking(host: str, *targets: StandIn) -> Iterator[Client]:
    """Give a client that goes on asking; the targets' streams take a while."""
    client = Client(host)
    ends = threading.Event()

    def pieces() -> None:
        while not ends.wait(0.03):
            for one in targets:
                one.next_piece.release()

    threads = [threading.Thread(target=one) for one in (client.kept, client.anew, client.streams)]
    giving = threading.Thread(target=pieces)
    for each in (*threads, giving):
        each.start()
    try:
        yield client
    finally:
        client.ended.set()
        for each in threads:
            each.join()
        ends.set()
        giving.join()


def failures(client: Client) -> list[object]:
    good = ("127.0.0.2", "127.0.0.3", "stream")
    return [one for one in client.told if one not in good]


def test_no_request_fails_while_targets_change_places(account: World, targets: list[StandIn]) -> None:
    """As ECS replaces a task: the new one is registered and healthy, the old one drains, then it stops."""
    old, new = targets
    host, group = account.leading(old)

    with asking(host, old, new) as client:
        account.eventually(lambda: len(client.told) > 20)
        account.register(group, new)
        account.eventually(lambda: account.state(group, new) == "healthy")
        account.deregister(group, old)
        account.eventually(lambda: account.state(group, old) == "none")
        old.stop()
        heard = len(client.told)
        account.eventually(lambda: len(client.told) > heard + 20)

    assert failures(client) == []
    assert {"127.0.0.2", "127.0.0.3", "stream"} == set(client.told)


def test_no_request_fails_while_ecs_shifts_a_rule_to_the_other_group(
    account: World, targets: list[StandIn]
) -> None:
    """Blue/green: the rule's weights change places in steps, then the tasks of the first group stop."""
    blue, green = account.group(targets[0]), account.group(targets[1])
    balancer = account.balancer()
    listener = account.listener(balancer)
    everything = [{"Field": "path-pattern", "Values": ["/*"]}]
    rule = account.rule(listener, 100, everything, forward(blue, green, weights=(100, 0)))
    for group, target in ((blue, targets[0]), (green, targets[1])):
        account.eventually(lambda group=group, target=target: account.state(group, target) == "healthy")  # type: ignore[misc]

    with asking(balancer["DNSName"], *targets) as client:
        account.eventually(lambda: len(client.told) > 20)
        first = Counter(client.told)
        for share in (50, 100):
            weights = (100 - share, share)
            account.elb.modify_rule(RuleArn=rule, Actions=[forward(blue, green, weights=weights)])
            heard = len(client.told)
            account.eventually(lambda heard=heard: len(client.told) > heard + 20)  # type: ignore[misc]
        account.deregister(blue, targets[0])
        account.eventually(lambda: account.state(blue, targets[0]) == "none")
        targets[0].stop()
        last = len(client.told)
        account.eventually(lambda: len(client.told) > last + 20)

    assert failures(client) == []
    assert first["127.0.0.3"] == 0
    assert "127.0.0.2" not in client.told[last:]


def test_a_crashed_target_costs_502_until_it_is_unhealthy(account: World, targets: list[StandIn]) -> None:
    host, group = account.leading(*targets)
    targets[0].stop()
    at_once = Counter(ask(host).status for _ in range(8))
    account.eventually(lambda: account.state(group, targets[0]) == "unhealthy")
    then = Counter(ask(host).status for _ in range(8))

    assert at_once.keys() <= {200, 502}
    assert then == {200: 8}
