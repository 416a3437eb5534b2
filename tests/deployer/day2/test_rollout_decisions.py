"""What has become of a deployment, and how it is followed: its own clock, an ECS that does what is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from deployer.day2.rollout import NOTICED_SECONDS, Begun, Ended, Going, Roller, judged
from deployer.day2.service import Deployment, Place, Service
from deployer.day2.waiting import Patience
from deployer.errors import CloudError, DeployError, Interrupted, LostSight, Transient
from deployer.progress import Event, Notice
from tests.deployer.fakes import Clock, host

PLACE = Place("dev-litellm", "dev-litellm-proxy")
BREAKER = "ECS deployment circuit breaker: tasks failed to start."
BACK = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/old."


def deployment(which: str, status: str, rollout: str, reason: str = "", **counts: int) -> Deployment:
    return Deployment(f"ecs-svc/{which}", status, rollout, reason, **counts)


def service(*deployments: Deployment, status: str = "ACTIVE", desired: int = 2, running: int = 2) -> Service:
    return Service("arn", PLACE.service, status, desired, running, "task:1", deployments)


OLD = deployment("old", "PRIMARY", "COMPLETED", running=2, desired=2)
OLD_LEAVES = deployment("old", "ACTIVE", "COMPLETED")
OLD_AGAIN = deployment("old", "PRIMARY", "IN_PROGRESS", BACK)
NEW_BEGINS = deployment("new", "PRIMARY", "IN_PROGRESS", desired=2)
NEW_RUNS = deployment("new", "PRIMARY", "COMPLETED", desired=2, running=2)
NEW_FAILED = deployment("new", "ACTIVE", "FAILED", BREAKER, failed=3)

BEGINS = service(NEW_BEGINS, OLD_LEAVES)
RUNS = service(NEW_RUNS)
ROLLS_BACK = service(OLD_AGAIN, NEW_FAILED)
ROLLED_BACK = service(OLD, NEW_FAILED)


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (BEGINS, Going("ecs-svc/new", "0 of 2 new tasks run")),
        (
            service(deployment("new", "PRIMARY", "IN_PROGRESS", desired=2, running=1, failed=3)),
            Going("ecs-svc/new", "1 of 2 new tasks run, 3 could not be started"),
        ),
        (RUNS, Ended("COMPLETED")),
        (ROLLS_BACK, Going("ecs-svc/new", f"rolls back: {BREAKER}")),
        (ROLLED_BACK, Ended("ROLLED_BACK", BREAKER)),
        (service(deployment("new", "PRIMARY", "FAILED", BREAKER)), Ended("FAILED", BREAKER)),
        (
            service(deployment("old", "PRIMARY", "FAILED", "no capacity"), NEW_FAILED),
            Ended("FAILED", f"{BREAKER}; the rollback failed too: no capacity"),
        ),
        (service(OLD), Ended("ROLLED_BACK", "its tasks did not start")),
        (
            service(OLD, deployment("new", "ACTIVE", "IN_PROGRESS")),
            Ended("ROLLED_BACK", "its tasks did not start"),
        ),
        (service(NEW_BEGINS, status="DRAINING"), Ended("FAILED", "the service is DRAINING")),
        (service(deployment("new", "PRIMARY", "")), Ended("COMPLETED")),
        (
            service(deployment("new", "PRIMARY", ""), deployment("old", "ACTIVE", "")),
            Going("ecs-svc/new", "0 of 0 new tasks run"),
        ),
        (service(), Going("ecs-svc/new", "has no newest deployment")),
    ],
    ids=lambda value: None,
)
def test_what_ecs_shows_is_judged(seen: Service, verdict: Going | Ended) -> None:
    assert judged(seen, "ecs-svc/new", {"ecs-svc/old"}) == verdict


def test_a_look_that_shows_what_was_before_is_no_rollback() -> None:
    world = World((0, service(OLD)), (4, BEGINS), (50, RUNS))

    assert world.roller().follow(BEGUN).status == "COMPLETED"


def test_a_newer_deployment_of_somebody_else_is_followed_instead() -> None:
    theirs = service(deployment("theirs", "PRIMARY", "IN_PROGRESS"), NEW_BEGINS)

    verdict = judged(theirs, "ecs-svc/new", {"ecs-svc/old"})

    assert isinstance(verdict, Going)
    assert (verdict.deployment, verdict.superseded) == ("ecs-svc/theirs", True)


@dataclass
class Ecs:
    """A service that looks otherwise from certain seconds on."""

    clock: Clock
    shows: list[tuple[float, Service | Transient | None]]
    rolled: list[float] = field(default_factory=list)

    def look(self, place: Place) -> Service | None:
        assert place == PLACE
        shown = [one for at, one in self.shows if at <= self.clock.now][-1]
        if isinstance(shown, Transient):
            raise shown
        return shown

    def roll(self, place: Place) -> str:
        self.rolled.append(self.clock.now)
        return "ecs-svc/new"

    def trouble(self, service: Service) -> Sequence[str]:
        return ("a task stopped: container litellm-proxy: exit code 3",)


class World:
    """One service on a clock."""

    def __init__(self, *shows: tuple[float, Service | Transient | None]) -> None:
        self.clock = Clock()
        self.ecs = Ecs(self.clock, list(shows))
        self.told: list[Event] = []
        self.signals: list[float] = []

    def roller(self, minutes: float = 30) -> Roller:
        def stop() -> int:
            return sum(self.clock.now >= at for at in self.signals)

        here = host(self.clock, self.told, stop=stop)
        return Roller(self.ecs, PLACE, here, Patience(minutes), "dev")

    def said(self) -> list[str]:
        return [event.text for event in self.told if isinstance(event, Notice)]


BEGUN = Begun("ecs-svc/new", frozenset({"ecs-svc/old"}))


def test_a_rollout_is_over_when_its_deployment_is_completed() -> None:
    world = World((0, service(OLD)), (1, BEGINS), (100, RUNS))

    roller = world.roller()
    begun = roller.begin("")
    world.clock.sleep(1)
    done = roller.follow(begun)

    assert (done.status, done.deployment, world.ecs.rolled) == ("COMPLETED", "ecs-svc/new", [0])
    assert 99 <= done.seconds < 106
    assert world.said() == ["new tasks are started (ecs-svc/new)", "0 of 2 new tasks run"]


def test_a_rollback_is_followed_to_its_end_and_told_with_why_tasks_stopped() -> None:
    world = World((0, BEGINS), (60, ROLLS_BACK), (200, ROLLED_BACK))

    done = world.roller().follow(BEGUN)

    assert done.status == "ROLLED_BACK"
    assert done.reason == f"{BREAKER}; a task stopped: container litellm-proxy: exit code 3"
    assert done.seconds >= 200


def test_a_failed_deployment_is_given_a_moment_to_begin_its_rollback() -> None:
    failed = service(deployment("new", "PRIMARY", "FAILED", BREAKER))
    world = World((0, failed), (8, ROLLS_BACK), (30, ROLLED_BACK))

    assert world.roller().follow(BEGUN).status == "ROLLED_BACK"


def test_a_deployment_that_fails_without_a_rollback_has_failed() -> None:
    world = World((0, service(deployment("new", "PRIMARY", "FAILED", BREAKER))))

    done = world.roller().follow(BEGUN)

    assert (done.status, done.seconds < 20) == ("FAILED", True)
    assert done.reason.startswith(BREAKER)


def test_a_deployment_that_takes_our_place_is_followed_to_its_end() -> None:
    theirs = deployment("theirs", "PRIMARY", "IN_PROGRESS")
    done = deployment("theirs", "PRIMARY", "COMPLETED")
    world = World((0, BEGINS), (5, service(theirs, NEW_BEGINS)), (50, service(done)))

    found = world.roller().follow(BEGUN)

    assert (found.status, found.deployment) == ("COMPLETED", "ecs-svc/theirs")
    assert sum("another deployment has started" in text for text in world.said()) == 1


def test_a_deployment_under_way_is_superseded_and_that_is_said() -> None:
    world = World((0, BEGINS))

    world.roller().begin("")

    assert "in progress already (ecs-svc/new): the new one supersedes it" in world.said()[0]
    assert world.ecs.rolled


def test_a_service_without_tasks_is_not_rolled() -> None:
    world = World((0, service(OLD, desired=0, running=0)))

    with pytest.raises(DeployError, match="dev-litellm-proxy runs no tasks: its image is missing"):
        world.roller().begin("its image is missing")

    assert world.ecs.rolled == []


@pytest.mark.parametrize("seen", [None, service(OLD, status="INACTIVE")])
def test_a_service_that_is_not_there_is_not_rolled(seen: Service | None) -> None:
    world = World((0, seen))

    with pytest.raises(DeployError, match=r"there is no service dev-litellm-proxy.*`gatestack deploy dev`"):
        world.roller().begin("")


def test_a_service_that_goes_while_it_is_followed_is_a_failure() -> None:
    world = World((0, BEGINS), (10, None))

    assert world.roller().follow(BEGUN).status == "FAILED"


def test_the_time_limit_leaves_it_to_ecs() -> None:
    world = World((0, BEGINS))

    with pytest.raises(LostSight, match=r"after 3 minutes: ECS continues .*`gatestack verify dev`"):
        world.roller(minutes=3).follow(BEGUN)


def test_ctrl_c_says_that_ecs_goes_on() -> None:
    world = World((0, BEGINS))
    world.signals = [4]

    with pytest.raises(Interrupted, match="ECS continues the deployment of dev-litellm-proxy"):
        world.roller().follow(BEGUN)


def test_a_busy_ecs_is_endured() -> None:
    busy = Transient("ecs DescribeServices: Rate exceeded", code="ThrottlingException")
    world = World((0, BEGINS), (10, busy), (400, RUNS))

    assert world.roller().follow(BEGUN).status == "COMPLETED"


def test_what_a_rotation_started_is_noticed_once_it_is_there() -> None:
    world = World((0, service(OLD)), (20, BEGINS))

    assert world.roller().noticed(service(OLD)) == BEGUN


def test_a_rotation_that_starts_no_tasks_is_noticed_after_a_while() -> None:
    world = World((0, service(OLD)))

    assert world.roller().noticed(service(OLD)) is None
    assert NOTICED_SECONDS <= world.clock.now < NOTICED_SECONDS + 10


def test_a_refusal_of_ecs_is_not_waited_away() -> None:
    world = World((0, BEGINS))

    class Closed(Ecs):
        def look(self, place: Place) -> Service | None:
            raise CloudError("ecs DescribeServices: no", code="AccessDenied")

    world.ecs = Closed(world.clock, [])

    with pytest.raises(CloudError, match="DescribeServices: no"):
        world.roller().follow(BEGUN)
