"""LiteLLM's master key rotates: a proxy that behaves as LiteLLM documents, moto's Secrets Manager, no gap."""

from __future__ import annotations

import json
import string
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.stand_ins.litellm import Fault, LiteLLM
from stacks.functions import master_key, proxy
from stacks.functions.errors import RotationError
from tests.covering import parameter
from tests.stacks.functions.rotations import ALL, REGION, Scissors, Secret, cut_everywhere, services

FIRST = "sk-first" + "0" * 40
DAY = 86400.0
NAMES = iter(range(1_000_000))


class Ecs:
    """
    One service whose tasks are the proxy: where they are, and new ones that read the secret as they start.

    *addresses*: of its running tasks. None for *desired*: there is no service.
    """

    def __init__(self) -> None:
        self.start_tasks: Callable[[], None] = lambda: None
        self.addresses = ["127.0.0.1"]
        self.desired: int | None = 1
        self.rolled = 0
        self.refusal = ""

    def describe_services(self, *, cluster: str, services: list[str]) -> dict[str, Any]:
        assert (cluster, services) == ("dev-litellm", ["dev-litellm-proxy"])
        if self.desired is None:
            raise ClientError(
                {"Error": {"Code": "ClusterNotFoundException", "Message": ""}}, "DescribeServices"
            )
        return {"services": [{"status": "ACTIVE", "desiredCount": self.desired}], "failures": []}

    def list_tasks(self, *, cluster: str, serviceName: str, desiredStatus: str) -> dict[str, Any]:  # noqa: N803
        assert (cluster, serviceName, desiredStatus) == ("dev-litellm", "dev-litellm-proxy", "RUNNING")
        return {"taskArns": [f"arn:{number}" for number in range(len(self.addresses))]}

    def describe_tasks(self, *, cluster: str, tasks: list[str]) -> dict[str, Any]:
        assert tasks
        running = [
            {
                "lastStatus": "RUNNING",
                "attachments": [{"details": [{"name": "privateIPv4Address", "value": address}]}],
            }
            for address in self.addresses
        ]
        details = [{"name": "privateIPv4Address", "value": "127.9.9.9"}]
        return {"tasks": [{"lastStatus": "PENDING", "attachments": [{"details": details}]}, *running]}

    def update_service(self, *, cluster: str, service: str, forceNewDeployment: bool) -> None:  # noqa: N803
        assert (cluster, service, forceNewDeployment) == ("dev-litellm", "dev-litellm-proxy", True)
        if self.refusal:
            raise ClientError({"Error": {"Code": self.refusal, "Message": "no"}}, "UpdateService")
        self.rolled += 1
        self.start_tasks()


@dataclass
class World:
    """A proxy, its secret, and the rotation function as Lambda runs it."""

    proxy: LiteLLM
    secret: Secret
    ecs: Ecs
    clock: list[float]
    scissors: Scissors = field(default_factory=Scissors)
    said: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    in_a_pause: Callable[[], None] = lambda: None
    attempts: int = 3

    def take(self, event: Mapping[str, Any]) -> None:
        clients = {"secretsmanager": self.secret.client, "ecs": self.ecs}

        def pause(seconds: float) -> None:
            self.pauses.append(seconds)
            self.in_a_pause()

        master_key.step(
            event,
            lambda service: self.scissors.aws(clients[service]),
            {"CLUSTER": "dev-litellm", "SERVICE": "dev-litellm-proxy", "PROXY_PORT": str(self.proxy.port)},
            send=self.scissors.send,
            attempts=self.attempts,
            pause=pause,
            say=self.said.append,
        )

    def rotate(self, token: str | None = None, *, steps: tuple[str, ...] = ALL) -> str:
        return self.secret.rotate(self.take, token, steps=steps)

    @property
    def key(self) -> str:
        return str(self.secret.value()["LITELLM_MASTER_KEY"])

    def status(self, key: str) -> int:
        """Return what an administrator's request with *key* is answered with."""
        known = self.ask("GET", "/key/info?key=nobodys", key).status
        return 200 if known == 404 else known

    def ask(self, method: str, path: str, key: str, **body: Any) -> proxy.Answer:
        return proxy.send(proxy.Request("127.0.0.1", self.proxy.port, method, path, key, body or None))

    def start_tasks(self) -> None:
        self.proxy.restart(self.key)


@pytest.fixture(scope="module")
def secrets_manager() -> Any:
    """One for all tests here: each has a secret of its own."""
    return services().client("secretsmanager", REGION)


def new_world(secrets_manager: Any, running: LiteLLM, clock: list[float]) -> World:
    value = {"LITELLM_MASTER_KEY": FIRST, "note": "kept"}
    secret = Secret.holding(secrets_manager, f"dev-{next(NAMES)}/master-key", value)
    made = World(running, secret, Ecs(), clock)
    made.ecs.start_tasks = made.start_tasks
    return made


@pytest.fixture
def world(secrets_manager: Any) -> Iterator[World]:
    clock = [1_000_000_000.0]
    with LiteLLM(FIRST, clock=lambda: clock[0]) as running:
        yield new_world(secrets_manager, running, clock)


# no gap


def test_the_old_key_works_for_seven_days_beside_the_new_one(world: World) -> None:
    token = world.rotate()

    assert (world.status(FIRST), world.status(world.key)) == (200, 200)
    assert world.key != FIRST
    assert world.ecs.rolled == 1
    shown = world.ask("GET", f"/key/info?key={FIRST}", world.key).body["info"]
    assert shown["key_alias"] == f"previous-master-key-{token}"
    assert shown["user_id"] == "gatestack-previous-master-key"
    world.clock[0] += 7 * DAY - 1
    assert world.status(FIRST) == 200
    world.clock[0] += 2
    assert (world.status(FIRST), world.status(world.key)) == (401, 200)


def test_the_old_key_is_an_administrators_as_it_was(world: World) -> None:
    world.rotate()

    made = world.ask("POST", "/key/generate", FIRST, duration="1h")
    assert made.status == 200


def test_clients_with_the_old_key_or_the_secrets_are_never_refused_while_it_rotates(world: World) -> None:
    refused, tried = 0, 0

    def ask_again() -> None:
        nonlocal refused, tried
        tried += 1
        refused += (world.status(FIRST), world.status(world.key)) != (200, 200)

    world.scissors.between = ask_again
    world.rotate()
    ask_again()

    assert tried > 20
    assert refused == 0


def test_one_rotation_after_another_leaves_each_old_key_its_days(world: World) -> None:
    keys = [world.key]
    for _ in range(3):
        world.rotate()
        keys.append(world.key)
        world.clock[0] += 3 * DAY

    assert [world.status(key) for key in keys] == [401, 200, 200, 200]


def test_a_new_key_starts_with_sk_and_has_48_letters_and_digits(world: World) -> None:
    world.rotate()

    assert world.key.startswith("sk-")
    assert len(world.key) == 48
    assert set(world.key[3:]) <= set(string.ascii_letters + string.digits)
    assert world.secret.value() == {"LITELLM_MASTER_KEY": world.key, "note": "kept"}
    assert len({master_key.new_key() for _ in range(100)}) == 100


# without a proxy


@pytest.mark.parametrize("desired", [None, 0], ids=["no service", "no tasks wanted"])
def test_before_there_is_a_proxy_the_key_rotates_all_the_same(world: World, desired: int | None) -> None:
    world.ecs.desired = desired
    world.ecs.refusal = "" if desired == 0 else "ClusterNotFoundException"
    world.proxy.stop()

    world.rotate()

    assert world.key != FIRST
    assert world.pauses == []


def test_a_task_that_just_starts_is_waited_for(world: World) -> None:
    world.proxy.stop()
    world.in_a_pause = lambda: world.proxy.start() if len(world.pauses) == 2 else None

    world.rotate()

    assert world.pauses == [5.0, 5.0]
    assert world.status(FIRST) == 200


def test_a_service_whose_tasks_do_not_run_stops_the_rotation_after_so_many_attempts(world: World) -> None:
    world.ecs.addresses = []

    with pytest.raises(RotationError, match="no task of the service runs"):
        world.rotate()
    assert len(world.pauses) == world.attempts - 1
    assert (world.key, world.ecs.rolled) == (FIRST, 0)


def test_another_task_is_asked_when_one_does_not_answer(world: World) -> None:
    world.ecs.addresses = ["127.0.0.2", "127.0.0.1"]  # the stand-in listens on the second one only

    world.rotate(steps=ALL[:2])

    assert len(world.pauses) == 1


# faults of the proxy


@pytest.mark.parametrize("kind", ["error", "unavailable", "drop-before", "drop-after"])
@pytest.mark.parametrize("path", ["/user/new", "/key/info", "/key/generate"])
def test_a_passing_fault_of_the_proxy_is_sat_out(world: World, kind: Any, path: str) -> None:
    world.proxy.faults.append(Fault(kind, times=world.attempts - 1, path=path))

    world.rotate()

    assert (world.status(FIRST), world.status(world.key)) == (200, 200)


@pytest.mark.parametrize("kind", ["error", "unavailable", "drop-before", "drop-after"])
def test_a_lasting_fault_stops_the_rotation_and_the_current_key_goes_on_working(
    world: World, kind: Any
) -> None:
    world.proxy.faults.append(fault := Fault(kind, times=1000, path="/user/new"))
    token = world.secret.begin()

    with pytest.raises(RotationError, match="UnavailableError: the proxy"):
        world.rotate(token)
    assert len(world.pauses) <= world.attempts - 1
    assert (world.key, world.status(FIRST)) == (FIRST, 200)
    fault.times = 0
    world.rotate(token)

    assert (world.status(FIRST), world.status(world.key)) == (200, 200)


def test_a_proxy_that_takes_no_given_keys_is_named_and_nothing_changes(secrets_manager: Any) -> None:
    with LiteLLM(FIRST, disable_custom_api_keys=True) as running:
        world = new_world(secrets_manager, running, [0.0])

        with pytest.raises(RotationError, match="take disable_custom_api_keys out"):
            world.rotate()

        assert world.pauses == []
        assert (world.key, world.status(FIRST), world.ecs.rolled) == (FIRST, 200, 0)


def test_when_the_service_cannot_be_rolled_old_and_new_key_work_and_a_repeat_rolls_it(world: World) -> None:
    world.ecs.refusal = "AccessDeniedException"
    token = world.secret.begin()

    with pytest.raises(RotationError, match=r"AccessDeniedException.*run `gatestack rollout`"):
        world.rotate(token)
    second = world.key
    assert second != FIRST
    assert (world.status(FIRST), world.status(second), world.ecs.rolled) == (200, 200, 0)
    world.ecs.refusal = ""
    world.rotate(token)
    world.rotate()

    assert [world.status(key) for key in (FIRST, second, world.key)] == [200, 200, 200]
    assert world.ecs.rolled == 2


def test_tasks_that_do_not_know_the_key_in_the_secret_are_named(world: World) -> None:
    by_hand = {"LITELLM_MASTER_KEY": "sk-put-in-by-hand-and-not-rolled"}
    world.secret.put(by_hand)

    with pytest.raises(RotationError, match=r"does not know the current master key.*`gatestack rollout`"):
        world.rotate()
    assert world.secret.value() == by_hand
    world.start_tasks()
    world.rotate()

    assert world.status(by_hand["LITELLM_MASTER_KEY"]) == 200


def test_a_key_from_an_earlier_attempt_gets_its_full_seven_days(world: World) -> None:
    world.rotate(steps=ALL[:2])
    world.clock[0] += 30 * DAY

    world.rotate()

    world.clock[0] += 7 * DAY - 1
    assert world.status(FIRST) == 200


def test_an_old_key_that_somebody_deleted_is_made_again(world: World) -> None:
    world.rotate(steps=ALL[:2])
    assert world.ask("POST", "/key/delete", FIRST, keys=[FIRST]).status == 200

    world.rotate()

    assert world.status(FIRST) == 200


def test_an_old_key_that_is_gone_when_it_is_looked_for_stops_the_rotation(world: World) -> None:
    token = world.rotate(steps=ALL[:2])
    world.ask("POST", "/key/delete", FIRST, keys=[FIRST])

    with pytest.raises(RotationError, match="forgot the old or the new master key"):
        world.rotate(token, steps=ALL[2:])
    assert world.key == FIRST


def test_an_alias_that_another_key_took_stops_the_rotation(world: World) -> None:
    token = world.secret.begin()
    world.ask("POST", "/key/generate", FIRST, key_alias=f"previous-master-key-{token}")

    with pytest.raises(RotationError, match="refuses a master key as a virtual key with 400"):
        world.rotate(token)
    assert world.key == FIRST


def test_a_key_that_litellm_would_not_take_is_named_and_not_shown(world: World) -> None:
    world.secret.put({"LITELLM_MASTER_KEY": "sk-short"})

    with pytest.raises(RotationError, match="shorter than 16") as caught:
        world.rotate()
    assert "sk-short" not in f"{caught.value}{world.said}"


# a call fails, or the function ends, anywhere


WAYS = (
    ("killed", "the step"),
    ("failed", "the rotation"),
    ("killed", "the rotation"),
    ("failed", "the step"),
)


@pytest.mark.parametrize(
    ("how", "then", "cut", "step"),
    [  # each step before and after the call; each way that it goes on, in turn
        parameter(*way, cut, step, quick=(number + place + (cut == "after")) % len(WAYS) == 0)
        for number, way in enumerate(WAYS)
        for cut in ("before", "after")
        for place, step in enumerate(ALL)
    ],
)
def test_cut_at_any_call_the_current_key_works_and_the_rotation_gone_on_with_ends_right(
    world: World, step: str, cut: str, how: str, then: str
) -> None:
    world.attempts = 1
    cuts, old = [], world.key
    for token, call in cut_everywhere(
        world.secret, world.take, world.scissors, step, after=cut == "after", killed=how == "killed"
    ):
        cuts.append(call)
        assert (world.status(old), world.status(world.key)) == (200, 200), f"{cut} {call}"
        world.rotate(token, steps=ALL[ALL.index(step) if then == "the step" else 0 :])
        assert world.secret.current() == token
        assert (world.status(old), world.status(world.key)) == (200, 200), f"{cut} {call}"
        old = world.key

    assert len(cuts) >= 4


def test_repeating_a_finished_rotation_changes_nothing(world: World) -> None:
    token = world.rotate()
    key = world.key
    world.proxy.calls.clear()

    world.rotate(token)

    assert (world.key, world.secret.current()) == (key, token)
    assert world.proxy.calls == []
    assert (world.status(FIRST), world.status(key)) == (200, 200)


@pytest.mark.parametrize("given", ["a copy", "no value"])
def test_secrets_managers_own_test_passes_without_a_proxy(world: World, given: str) -> None:
    world.proxy.stop()
    token = world.secret.begin(world.secret.value() if given == "a copy" else None)

    world.rotate(token, steps=("testSecret",))

    assert json.loads(world.said[-1])["outcome"] == "done"


# secrecy


def test_no_key_is_in_any_log_line_error_or_address(world: World) -> None:
    keys, errors = {FIRST}, []
    for fault in ("error", "drop-before", "unavailable"):
        world.proxy.faults.append(Fault(fault, times=world.attempts, path="/key/generate"))
        token = world.secret.begin()
        with pytest.raises(RotationError) as caught:
            world.rotate(token)
        errors.append("".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__))
        keys.add(world.secret.value("AWSPENDING")["LITELLM_MASTER_KEY"])
        world.rotate(token)
        keys.add(world.key)

    everything = "\n".join([*errors, *world.said, repr(world.proxy.calls), *world.scissors.targets])
    assert len(keys) == 4
    assert [key for key in keys if key in everything] == []
