"""Causes that people understand: handlers' messages, ECS's stopped tasks, refused deletions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from deployer.aws.account import connect
from deployer.aws.shapes import validation_failure
from deployer.deploy import deploy
from deployer.options import Host, Options
from deployer.outcomes import became
from deployer.progress import Cause, Event, Notice, ResourceEvent, Result
from deployer.report import event_words
from gatestack.ending.facts import ending
from gatestack.ending.text import text
from sandbox.backing import Backing
from sandbox.clock import ManualClock
from sandbox.faults import ResourceFault
from sandbox.server import Sandbox
from tests.command import KEY, LOGIN
from tests.deployer.fakes import manifest, spec
from tests.deployer.run.runs import World as Small
from tests.sandbox.sandbox_fakes import FakeProvisioner, FakeSchemas, World, exporting, of, thing
from tests.sandbox.sandbox_wire import REGION, Line, imported, line, made_of

SERVICE = "AWS::ECS::Service"
ARN = "arn:aws:ecs:eu-central-1:111122223333:service/dev-cluster/web"
OUT_OF_MEMORY = {
    "group": "service:web",
    "stoppedReason": "Essential container in task exited",
    "containers": [{"name": "litellm", "exitCode": 137, "reason": "OutOfMemoryError: Container killed"}],
}
OTHERS = {"group": "service:other", "stoppedReason": "nobody asked for this one"}
WORDS = (
    "a task stopped: Essential container in task exited; container litellm: exit code 137, "
    "OutOfMemoryError: Container killed; the service says: (service web) is unable to reach a steady state"
)


class Schemas(FakeSchemas):
    """Knows services as well."""

    def known(self, type_name: str, /) -> bool:
        return type_name == SERVICE or super().known(type_name)


class Ecs:
    """The calls of ECS that are asked; or an endpoint that has no ECS at all."""

    def __init__(self) -> None:
        self.there = True
        self.tasks: list[dict[str, Any]] = [OUT_OF_MEMORY, OUT_OF_MEMORY, OTHERS]
        self.calls: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        action = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        self.calls.append(action)
        if not self.there:
            start_response("404 Not Found", [("Content-Type", "text/html")])
            return [b"<h1>nothing here</h1>"]
        said = [{"message": "(service web) is unable to reach a steady state"}, {"message": "older"}]
        answers: dict[str, Any] = {
            "ListTasks": {"taskArns": [f"arn:task/{number}" for number in range(len(self.tasks))]},
            "DescribeTasks": {"tasks": self.tasks},
            "DescribeServices": {"services": [{"serviceName": "web", "events": said}]},
        }
        start_response("200 OK", [("Content-Type", "application/x-amz-json-1.1")])
        return [json.dumps(answers[action]).encode()]


class Place:
    """A sandbox whose other services are an `Ecs`."""

    def __init__(self, box: World, ecs: Ecs) -> None:
        self.box, self.ecs = box, ecs
        self.told: list[Event] = []

    def deploy(self, **fault: Any) -> Result:
        clock = self.box.sandbox.clock
        self.box.sandbox.faults.resources.append(ResourceFault("create", type=SERVICE, **fault))
        wanted = manifest(spec("a", json.dumps(of({"Web": thing(SERVICE, Name=ARN)}))), region=REGION)
        aws = connect(REGION, endpoint=self.box.sandbox.endpoint)
        host = Host(self.told.append, clock.now, self.box.sandbox.advance, "r1")
        return deploy(wanted, aws, Options(poll_interval=60.0), host)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name, value in LOGIN.items():
        monkeypatch.setenv(name, value)
    provisioner, files, ecs = FakeProvisioner(), dict[str, str](), Ecs()
    backing = Backing(lambda _: provisioner, Schemas(), lambda url: files[url], ecs)
    with Sandbox(clock=ManualClock(), backing=backing, key=KEY) as sandbox:
        yield Place(World(sandbox, provisioner, files), ecs)


@pytest.fixture
def aws() -> Iterator[Line]:
    with line() as made:
        yield made


def test_a_service_that_fails_tells_why_its_tasks_stopped(place: Place) -> None:
    result = place.deploy(reason="ECS Deployment Circuit Breaker was triggered", seconds=60.0)

    assert result.stacks[0].cause == Cause(
        "Web",
        SERVICE,
        "CREATE_FAILED",
        f"ECS Deployment Circuit Breaker was triggered; {WORDS}",
        "give the task more memory (`service.memory_mb` in the environment's file)",
    )


def test_a_service_that_takes_long_tells_why_once(place: Place) -> None:
    result = place.deploy(seconds=900.0)

    assert result.exit_code == 0
    warnings = [event.text for event in place.told if isinstance(event, Notice)]
    assert warnings == [f"Web is not stable after 5 minutes: {WORDS}"]


def test_where_there_is_no_ecs_the_event_alone_is_the_cause(place: Place) -> None:
    place.ecs.there = False

    result = place.deploy(reason="did not stabilize", seconds=900.0)

    cause = result.stacks[0].cause
    assert cause is not None
    assert (cause.reason, place.ecs.calls[0]) == ("did not stabilize", "ListTasks")


def test_a_quick_service_is_not_asked_about(place: Place) -> None:
    assert place.deploy().exit_code == 0
    assert place.ecs.calls == []


def test_what_a_resource_handler_says_reaches_people_without_its_request_token(aws: Line) -> None:
    said = 'Resource handler returned message: "Name is taken" (RequestToken: 12, HandlerErrorCode: Exists)'
    aws.sandbox.faults.resources.append(ResourceFault("create", logical_id="One", reason=said))

    result = aws.deploy(manifest(made_of("a", {"One": thing()}), region=REGION))

    assert result.stacks[0].cause is not None
    assert result.stacks[0].cause.reason == "Name is taken (Exists)"


def test_what_is_wrong_with_the_whole_stack_is_the_cause_where_no_resource_failed(aws: Line) -> None:
    """Somebody else takes the export's name while the run goes on."""
    taken = of({"One": thing()}, Outputs={"O": exporting("dev-a-Id", "x")})

    def take() -> None:
        aws.wire.after = lambda: None
        aws.box.deploy("other", taken)

    aws.wire.after = lambda: take() if "dev-a" in aws.stacks() else None

    result = aws.deploy(manifest(made_of("a", {"One": thing()}, {"Id": {"Ref": "One"}}), region=REGION))

    cause = result.stacks[0].cause
    assert cause is not None
    assert (cause.logical_id, cause.status) == ("dev-a", "ROLLBACK_IN_PROGRESS")
    assert cause.reason.startswith("Export with name dev-a-Id is already exported by stack other.")


def test_a_deletion_that_fails_names_what_would_not_go(aws: Line) -> None:
    wanted = manifest(made_of("a", {"One": thing(Sticky=True), "Two": thing()}), region=REGION)
    aws.deploy(wanted)

    result = aws.destroy(wanted)

    (one,) = result.stacks
    assert (one.outcome, one.status) == ("failed", "DELETE_FAILED")
    assert one.cause is not None
    assert (one.cause.logical_id, one.cause.reason) == ("One", "it sticks")


@pytest.mark.parametrize("how", ["stay", "event"])
def test_an_exporter_that_aws_keeps_ends_the_run_with_the_reason(aws: Line, how: Any) -> None:
    aws.sandbox.faults.behaviour.exporter_deletion = how
    wanted = manifest(made_of("a", {"One": thing()}, {"Id": {"Ref": "One"}}), region=REGION)
    aws.deploy(wanted)
    aws.box.deploy("theirs", of({"One": thing(Value=imported("dev-a-Id"))}))
    began = aws.now()

    result = aws.destroy(wanted)

    (one,) = result.stacks
    assert (one.outcome, one.status) == ("failed", "CREATE_COMPLETE")
    assert "Export dev-a-Id cannot be deleted as it is in use by theirs" in f"{one.cause} {one.reason}"
    assert became(one) == "failed", "the standing status says success, the run does not"
    assert "CREATE_COMPLETE" not in text(ending(result))
    assert aws.now() - began < 300


def test_what_validation_found_is_read_before_the_change_set_is_removed() -> None:
    small = Small()
    small.cloud.refusals["dev-a"] = "validation failed"

    result = small.deploy(manifest(spec("a")))

    assert "the property Nmae does not exist" in result.stacks[0].reason
    calls = [method for method, _ in small.cloud.calls]
    assert calls.index("change_set_failures") < calls.index("delete_change_set")


def test_why_the_last_run_left_a_stack_failed_is_told_before_it_is_made_again() -> None:
    with line() as here:
        wanted = manifest(made_of("web", {"One": thing()}), region=REGION)
        here.sandbox.faults.resources.append(ResourceFault("create", logical_id="One", reason="no capacity"))
        assert here.deploy(wanted).exit_code == 1
        here.told.clear()

        again = here.deploy(wanted)

    notices = [one.text for one in here.told if isinstance(one, Notice)]
    assert any(
        text.startswith("it was left by a failure: One (") and "no capacity" in text for text in notices
    )
    assert (again.exit_code, again.stacks[0].action) == (0, "recreate")


HOOK = "Acme::Encryption::Required"
SAID = "Encryption at rest is off: set StorageEncrypted to true (policy ENC-7)"


@pytest.mark.parametrize("operation", ["create", "update", "delete"])
def test_a_hook_that_refuses_is_told_with_its_own_reason(aws: Line, operation: str) -> None:
    first, second = (manifest(made_of("a", {"One": thing(Size=size)}), region=REGION) for size in "12")
    if operation != "create":
        assert aws.deploy(first).exit_code == 0
    fault = ResourceFault(operation, logical_id="One", hook=HOOK, reason=SAID, times=None)  # type: ignore[arg-type]  # by parameter
    aws.sandbox.faults.resources.append(fault)
    aws.told.clear()

    result = aws.destroy(second) if operation == "delete" else aws.deploy(second)

    cause = result.stacks[0].cause
    assert (result.exit_code, cause is not None) == (1, True)
    assert cause.logical_id == "One"  # type: ignore[union-attr]  # seen above
    assert cause.reason == f"the Hook {HOOK} rejected it: {SAID}"  # type: ignore[union-attr]
    assert "whoever runs the account's Hooks" in cause.remedy  # type: ignore[union-attr]
    words = [event_words("a", one.event) for one in aws.told if isinstance(one, ResourceEvent)]
    assert any(f"{HOOK}: HOOK_COMPLETE_FAILED  {SAID}" in line for line in words)


def test_a_hook_that_only_warns_is_no_cause(aws: Line) -> None:
    warns = ResourceFault("create", logical_id="One", hook=HOOK, reason=SAID, hook_mode="WARN")
    fails = ResourceFault("create", logical_id="Two", reason="no capacity")
    aws.sandbox.faults.resources += [warns, fails]

    result = aws.deploy(manifest(made_of("a", {"One": thing(), "Two": thing()}), region=REGION))

    cause = result.stacks[0].cause
    assert cause is not None
    assert (cause.logical_id, cause.reason) == ("Two", "no capacity")


def _hook_event(**more: Any) -> dict[str, Any]:
    return {"EventType": "HOOK_INVOCATION_ERROR", "HookType": HOOK, "HookStatusReason": SAID, **more}


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (
            _hook_event(HookStatus="HOOK_COMPLETE_FAILED", HookFailureMode="FAIL", LogicalResourceId="Db"),
            f"Db: the Hook {HOOK} rejected it: {SAID}",
        ),
        (_hook_event(HookStatus="HOOK_FAILED"), f"the Hook {HOOK} rejected it: {SAID}"),
        (_hook_event(HookStatus="HOOK_COMPLETE_FAILED", HookFailureMode="WARN"), ""),
        (_hook_event(HookStatus="HOOK_COMPLETE_SUCCEEDED"), ""),
    ],
)
def test_a_hook_that_refuses_a_change_set_is_read_from_its_events(event: Any, said: str) -> None:
    assert validation_failure(event) == said
