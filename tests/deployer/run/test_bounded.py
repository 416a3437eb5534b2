"""Every repetition has an end: the same refusal again and again, lists and answers that are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from deployer.aws.edges import Edges
from deployer.aws.errors import is_missing, is_taken, is_unused
from deployer.aws.paging import pages
from deployer.changes.preview import plan
from deployer.deploy import deploy
from deployer.errors import CloudError, DeployError, LostSight, MovedOn, NotAllowed, Transient
from deployer.options import Options
from deployer.run.attempts import REQUESTS_AT_MOST
from deployer.states import ChangeSetRequest, ChangeSetState
from generator.manifest import Manifest
from sandbox.faults import CallFault, ResourceFault
from tests.covering import covering, parameter
from tests.deployer.fakes import FakeCloud, Fault, host, manifest, spec, template
from tests.deployer.run.runs import World, outcomes, with_topic
from tests.sandbox.sandbox_fakes import thing
from tests.sandbox.sandbox_wire import REGION, Line, four, imported, line, made_of

CALLS, SECONDS = 100, 900.0
"""What one stack that ends badly may cost at most: looks at it, and requests for it together."""
ARN = "arn:aws:cloudformation:eu-west-1:111122223333:stack/dev-a/0d1"
NEW = {"Type": "AWS::SNS::Topic"}

REFUSALS: dict[str, Callable[[], DeployError]] = {
    "moved on": lambda: MovedOn("it is not as it was"),
    "throttled": lambda: Transient("Rate exceeded", code="Throttling"),
    "no connection": lambda: Transient("no connection"),
    "refused": lambda: CloudError("S3 error: The specified key does not exist", code="ValidationError"),
    "not allowed": lambda: NotAllowed("grant it"),
    "logged out": lambda: LostSight("log in again"),
}
STATUSES = (
    "",
    "CREATE_COMPLETE",
    "DELETE_FAILED",
    "REVIEW_IN_PROGRESS",
    "ROLLBACK_COMPLETE",
    "UPDATE_FAILED",
    "UPDATE_IN_PROGRESS",
    "UPDATE_ROLLBACK_FAILED",
)
METHODS = (
    "change_set", "change_set_failures", "change_set_names", "continue_rollback", "create_change_set",
    "delete_change_set", "delete_stack", "events", "execute", "exports", "importers", "protect", "resources",
    "roll_back", "stacks", "template",
)  # fmt: skip


class Stubborn(FakeCloud):
    """Answers *method* *good* times, and refuses it for ever after."""

    def __init__(self, world: World, method: str, refusal: Callable[[], DeployError], good: int) -> None:
        super().__init__(world.clock, working_out=3.0)
        self._method, self._refusal, self._good = method, refusal, good

    def _call(self, method: str, what: str) -> None:
        super()._call(method, what)
        assert len(self.calls) < 10 * CALLS, "it goes on and on"
        if method == self._method and self.count(method) > self._good:
            raise self._refusal()


@pytest.mark.parametrize(("refusal", "status"), covering(REFUSALS, STATUSES))
def test_a_run_ends_whatever_is_refused_for_ever(refusal: str, status: str) -> None:
    for goal, method, good in product(("deploy", "destroy"), METHODS, (0, 1, 2)):
        world = World()
        world.cloud = cloud = Stubborn(world, method, REFUSALS[refusal], good)
        if status:
            cloud.has("dev-a", status, template(exports=["dev-a-Id"]))
        if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            cloud.changes_by_itself("dev-a", "UPDATE_COMPLETE", 30)
        wanted = manifest(spec("a", termination_protection=True))
        with suppress(DeployError):
            (world.deploy if goal == "deploy" else world.destroy)(wanted, force=True)
        what = (goal, method, f"{len(cloud.calls)} calls", f"{world.clock.now} s")

        assert (len(cloud.calls) <= CALLS, world.clock.now <= SECONDS) == (True, True), what


def test_the_same_refusal_ends_a_stack_with_its_words_after_a_few_tries() -> None:
    world = World()
    world.deploy(manifest(spec("a")))
    world.forget()
    began = world.clock.now
    world.cloud.raises["create_change_set"] = [MovedOn("an old change set is removed")] * 1000

    result = world.deploy(manifest(with_topic(spec("a"), New=NEW)))

    assert (result.exit_code, result.stacks[0].reason) == (1, "an old change set is removed")
    assert world.cloud.count("create_change_set") == 5
    assert world.clock.now - began < 40


class Busy(FakeCloud):
    """A cloud where somebody else changes the stack before every change set."""

    def create_change_set(self, request: ChangeSetRequest) -> ChangeSetState:
        if self.raises.get("create_change_set"):
            for one in self.live.values():
                one.state = replace(one.state, last_updated=datetime.fromtimestamp(self.clock.now, UTC))
        return super().create_change_set(request)


def test_a_refusal_after_which_the_stack_has_moved_is_not_counted_with_those_before() -> None:
    for times, code in ((12, 0), (1000, 1)):
        world = World()
        world.cloud = Busy(world.clock, working_out=3.0)
        world.cloud.has("dev-a", "UPDATE_COMPLETE")
        world.cloud.raises["create_change_set"] = [MovedOn("busy")] * times

        assert world.deploy(manifest(spec("a"))).exit_code == code
        assert world.cloud.count("create_change_set") == min(times + 1, REQUESTS_AT_MOST)


def test_other_stacks_go_on_while_one_is_refused_again_and_again() -> None:
    world = World()
    refused = MovedOn("an old change set is removed")
    real = world.cloud.create_change_set

    def create(request: Any) -> ChangeSetState:
        if "dev-a" in request.stack:
            raise refused
        return real(request)

    world.cloud.create_change_set = create  # type: ignore[method-assign]

    assert outcomes(world.deploy(manifest(spec("a"), spec("b")))) == {
        "a": ("create", "failed"), "b": ("create", "done"),
    }  # fmt: skip


class Invisible:
    """A cloud that takes what is asked of it, and never shows it."""

    def __init__(self, cloud: FakeCloud, *, change_sets: bool, executions: bool) -> None:
        self._cloud = cloud
        self._change_sets = change_sets
        self._executions = executions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cloud, name)

    def change_set(self, change_set_id: str) -> ChangeSetState | None:
        if not self._change_sets:
            self._cloud.made.clear()
        return self._cloud.change_set(change_set_id)

    def execute(self, change_set_id: str, token: str, *, creation: bool) -> None:
        self._cloud.calls.append(("execute", change_set_id))
        if self._executions:
            self._cloud.execute(change_set_id, token, creation=creation)


def test_change_sets_that_never_become_visible_end_a_run() -> None:
    world = World()
    hidden = Invisible(world.cloud, change_sets=False, executions=True)

    result = deploy(manifest(spec("a")), hidden, Options(), host(world.clock))

    assert outcomes(result) == {"a": ("create", "failed")}
    assert "deleted before they can be executed" in result.stacks[0].reason
    assert (len(world.cloud.calls) <= CALLS, world.clock.now < 150) == (True, True)


def test_an_execution_that_never_shows_is_lost_sight_of_after_two_minutes() -> None:
    world = World()
    hidden = Invisible(world.cloud, change_sets=True, executions=False)

    result = deploy(manifest(spec("a")), hidden, Options(), host(world.clock))

    assert (outcomes(result), result.exit_code) == ({"a": ("create", "going-on")}, 5)
    assert "has not shown it for" in result.stacks[0].reason
    assert (len(world.cloud.calls) <= CALLS, world.clock.now < 200) == (True, True)


def test_a_plan_ends_when_its_change_set_never_shows() -> None:
    world = World()
    hidden = Invisible(world.cloud, change_sets=False, executions=True)

    made = plan(manifest(spec("a")), hidden, Options(), host(world.clock))

    assert made.stacks[0].problems[0].startswith("AWS does not show the change set that it made")
    assert world.cloud.count("change_set") < 30


def test_a_deletion_that_fails_each_time_is_tried_twice() -> None:
    world = World()
    world.deploy(manifest(spec("a")))

    class Failing(dict[str, Fault]):
        def pop(self, *_: Any) -> Fault:
            return Fault("Topic", "it is in use")

    world.cloud.faults = Failing()

    assert world.destroy(manifest(spec("a"))).exit_code == 1
    assert world.cloud.count("delete_stack") == 2


# on the wire


@pytest.fixture
def aws() -> Iterator[Line]:
    with line() as made:
        yield made


ELSEWHERE = (
    "S3 error: The specified key does not exist.",
    "Template file:///t.json does not exist",
    "Export dev-keys-Arn does not exist",
    "Stack [another] does not exist",
    "Role with id dev-keys does not exist",
)


@pytest.mark.parametrize("message", ELSEWHERE)
def test_what_else_does_not_exist_is_told_at_once_and_is_no_missing_stack(aws: Line, message: str) -> None:
    assert aws.deploy(four()).exit_code == 0
    aws.calls()
    aws.sandbox.faults.calls.append(CallFault("refused", "CreateChangeSet", message=message))

    result = aws.deploy(four("2"))

    assert result.exit_code == 1
    assert message in result.stacks[0].reason
    assert aws.calls()["CreateChangeSet"] == len(result.stacks)


ACTIONS = {
    "deploy": (
        "CreateChangeSet",
        "DescribeChangeSet",
        "ExecuteChangeSet",
        "ListExports",
        "DescribeStackEvents",
    ),
    "update": ("CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DeleteChangeSet"),
    "destroy": ("DeleteStack", "DescribeStacks", "ListStackResources", "GetTemplate"),
}


def refused(code: str, message: str) -> CallFault:
    return CallFault("refused", code=code, message=message)


ANSWERS = {
    "busy": refused(
        "ValidationError", "Stack [dev-web] is in UPDATE_IN_PROGRESS state and can not be updated."
    ),
    "a page": CallFault("page", status=200),
    "a page with an error": CallFault("page", status=502),
    "a page that forbids": CallFault("page", status=403),
    "already there": refused("AlreadyExistsException", "ChangeSet already exists"),
    "no such change set": refused("ChangeSetNotFound", "ChangeSet [x] does not exist"),
    "not that status": refused("InvalidChangeSetStatus", "cannot be executed"),
}


def small(size: str = "1") -> Manifest:
    return manifest(made_of("web", {"One": thing(Value=size)}, {"Id": {"Ref": "One"}}), region=REGION)


@pytest.mark.parametrize(
    ("goal", "answer"),
    [
        parameter(goal, answer, quick=(number + place) % len(ACTIONS) == 0)
        for place, goal in enumerate(ACTIONS)
        for number, answer in enumerate(ANSWERS)
    ],
)
def test_a_run_over_the_wire_ends_whatever_the_answer_and_says_it_in_a_line(goal: str, answer: str) -> None:
    for action in ACTIONS[goal]:
        with line() as aws:
            if goal != "deploy":
                assert aws.deploy(small()).exit_code == 0
            aws.calls()
            began = aws.now()
            aws.sandbox.faults.calls.append(replace(ANSWERS[answer], action=action))
            try:
                wanted = small("2" if goal == "update" else "1")
                result = aws.destroy(wanted) if goal == "destroy" else aws.deploy(wanted)
                said = [one.reason for one in result.stacks]
            except DeployError as error:
                said = [str(error)]
            calls, seconds = sum(aws.calls().values()), aws.now() - began
            what = (action, calls, seconds, said)

            assert (calls <= 2 * CALLS, seconds <= SECONDS) == (True, True), what
            assert not any("<" in text or "\n" in text or len(text) > 700 for text in said), what


@pytest.mark.parametrize("operation", ["create", "update", "delete"])
def test_a_resource_that_fails_for_ever_ends_a_run(aws: Line, operation: str) -> None:
    if operation != "create":
        assert aws.deploy(four()).exit_code == 0
    aws.sandbox.faults.resources.append(ResourceFault(operation, reason="no", times=None))  # type: ignore[arg-type]
    aws.calls()

    runs = [aws.destroy(four("2")) if operation == "delete" else aws.deploy(four("2")) for _ in range(3)]

    assert {run.exit_code for run in runs} <= {1, 4}
    assert sum(aws.calls().values()) <= 3 * 4 * CALLS


# the wordings


@dataclass
class Said:
    """An answer of AWS's."""

    code: str = "ValidationError"
    answer: str = ""
    stacks: tuple[str, ...] = field(default=("dev-a", ARN))

    @property
    def error(self) -> CloudError:
        return CloudError(
            f"cloudformation X: {self.answer} ({self.code})", code=self.code, answer=self.answer
        )


WORDINGS = ("Stack [{}] does not exist", "Stack with id {} does not exist", "Stack:{} does not exist")


@pytest.mark.parametrize("stack", ["dev-a", ARN])
@pytest.mark.parametrize("named", ["dev-a", ARN])
@pytest.mark.parametrize("text", WORDINGS)
def test_a_missing_stack_is_known_by_three_wordings_and_its_name(text: str, named: str, stack: str) -> None:
    said = Said(answer=text.format(named)).error
    assert is_missing(said, stack) or (named == ARN and stack == "dev-a")
    assert is_missing(said)
    assert not is_missing(said, "dev-b")
    assert not is_missing(Said(code="AccessDenied", answer=text.format(named)).error, stack)


@pytest.mark.parametrize("message", ELSEWHERE)
def test_no_other_wording_means_a_missing_stack(message: str) -> None:
    assert not is_missing(Said(answer=message).error, "dev-a")
    assert not is_missing(Said(answer=f"{message}: Stack [dev-a] does not exist").error, "dev-a")


def test_only_the_stack_that_was_to_be_created_counts_as_taken() -> None:
    taken = "Stack [dev-a] already exists and cannot be created again with the changeSet [gatestack-1]."
    assert is_taken(Said(answer=taken).error, "dev-a")
    assert not is_taken(Said(answer=taken).error, "dev-b")
    assert not is_taken(Said(answer="Bucket dev-a already exists").error, "dev-a")


def test_only_the_answer_that_nobody_imports_means_that_nobody_imports() -> None:
    assert is_unused(Said(answer="Export 'x' is not imported by any stack.").error, "x")
    assert not is_unused(Said(answer="1 validation error detected").error, "x")


# lists


def test_a_list_whose_pages_name_each_other_ends() -> None:
    answers = iter([{"NextToken": "2"}, {"NextToken": "3"}, {"NextToken": "2"}, {"NextToken": "3"}] * 1000)

    with pytest.raises(CloudError, match="the list has no end"):
        list(pages(lambda **_: next(answers), "list_exports"))

    assert len(list(pages(lambda **more: {"Marker": "" if more else "2"}, "x", "Marker"))) == 2


class Sticky:
    """An S3 whose objects stay, however often they are deleted."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        self.errors = errors
        self.deletions = 0
        self.meta = SimpleNamespace(
            region_name="eu-west-1",
            endpoint_url="https://s3.eu-west-1.amazonaws.com",
            service_model=SimpleNamespace(service_name="s3", metadata={"protocol": "rest-xml"}),
            method_to_api_mapping={"list_object_versions": "List", "delete_objects": "Delete"},
        )

    def list_object_versions(self, **_: Any) -> dict[str, Any]:
        return {"Versions": [{"Key": "a", "VersionId": "1"}]}

    def delete_objects(self, **_: Any) -> dict[str, Any]:
        self.deletions += 1
        assert self.deletions < 10
        return {"Errors": self.errors}


@pytest.mark.parametrize(
    ("errors", "text"),
    [
        ([{"Key": "a", "Code": "AccessDenied", "Message": "no"}], r"a: no \(AccessDenied\)"),
        ([], "a is still there"),
    ],
)
def test_a_bucket_that_stays_full_ends_the_attempt(errors: list[dict[str, str]], text: str) -> None:
    with pytest.raises(CloudError, match=text):
        Edges(lambda _: Sticky(errors), "eu-west-1").empty_bucket("b")


class Forgetful:
    """A cloud where one stack imports for ever what it has given up."""

    def __init__(self, cloud: Any) -> None:
        self._cloud = cloud

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cloud, name)

    def importers(self, _: str) -> tuple[str, ...]:
        return ("dev-web",)


def test_a_phase_that_achieves_nothing_is_done_twice_and_then_left_to_aws(aws: Line) -> None:
    exporting = made_of("net", {"One": thing()}, {"Id": {"Ref": "One"}})
    importing = made_of("web", {"A": thing(Value=imported("dev-net-Id")), "B": thing()})
    assert aws.deploy(manifest(exporting, importing, region=REGION)).exit_code == 0
    aws.calls()
    wanted = manifest(
        made_of("net", {"One": thing()}), made_of("web", {"A": thing(), "B": thing()}), region=REGION
    )

    result = deploy(wanted, Forgetful(aws.aws), Options(migrate_exports=True, poll_interval=10.0), aws.host())

    assert result.exit_code == 0
    assert aws.calls()["CreateChangeSet"] < 12
