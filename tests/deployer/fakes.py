"""A small CloudFormation behind `deployer.cloud.Cloud`: stateful, scripted, on a clock that tests move."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from deployer.checks.kept import Candidate
from deployer.checks.key import Key
from deployer.checks.names import Holder, Taken
from deployer.checks.zone_needs import Needs
from deployer.checks.zones import ZoneFacts
from deployer.day2.drift_state import Detection, ResourceDrift
from deployer.day2.secret_rotation import Rotating
from deployer.errors import CloudError, MovedOn
from deployer.interfaces import Interface
from deployer.kept import Kept, Snapshot
from deployer.options import Host
from deployer.progress import Event
from deployer.readiness.table import Condition
from deployer.run.snapshots import DatabaseSnapshot
from deployer.states import (
    Change,
    ChangeSetInputs,
    ChangeSetRequest,
    ChangeSetState,
    ExportState,
    Output,
    Resource,
    StackEvent,
    StackState,
)
from deployer.tasks import TaskRequest, TaskState
from generator.manifest import Manifest, SnapshotFirst, StackSpec

OURS = {"ManagedBy": "gatestack", "Environment": "dev", "System": "litellm"}
DEFINITION = "arn:definition/"
NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


def template(
    resources: Mapping[str, Any] | None = None, exports: Collection[str] = (), imports: Collection[str] = ()
) -> str:
    """A template with topics only, unless others are given; a topic uses the imports."""
    found: dict[str, Any] = {"Topic": {"Type": "AWS::SNS::Topic"}, **(resources or {})}
    for index, name in enumerate(sorted(imports)):
        found[f"Reader{index}"] = {
            "Type": "AWS::SNS::Topic",
            "Properties": {"DisplayName": {"Fn::ImportValue": name}},
        }
    outputs = {
        f"Output{index}": {"Value": f"value of {name}", "Export": {"Name": name}}
        for index, name in enumerate(sorted(exports))
    }
    return json.dumps({"Resources": found, "Outputs": outputs})


def spec(name: str, text: str | None = None, **more: Any) -> StackSpec:
    """A stack of the environment dev."""
    return StackSpec(name, f"dev-{name}", text or template(), **more)


def manifest(*stacks: StackSpec, **more: Any) -> Manifest:
    """The environment dev of exactly *stacks*."""
    settled = {"region": "eu-west-1", "account": None, "production": False} | more
    return Manifest("dev", "litellm", stacks=stacks, **settled)


def in_a_folder(made: Manifest) -> Manifest:
    """*made* with the stack names that a built folder has to have: dev-litellm-NAME."""
    prefix = f"{made.environment}-{made.system}"
    return replace(made, stacks=tuple(replace(one, stack_name=f"{prefix}-{one.name}") for one in made.stacks))


def chain(*names: str) -> tuple[StackSpec, ...]:
    """Stacks of which each imports from the one before."""
    return tuple(
        spec(name, template(exports=[f"dev-{name}-Id"], imports=[f"dev-{before}-Id"] if before else []))
        for before, name in zip(("", *names), names, strict=False)
    )


class Clock:
    """Stands still until somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


def host(clock: Clock, told: list[Event] | None = None, run_id: str = "run1", stop: Any = None) -> Host:
    """A host that records what it is told."""
    tell = (lambda _: None) if told is None else told.append
    return Host(tell, clock, clock.sleep, run_id, stop or (lambda: 0))


@dataclass
class Fault:
    """A fault of the next operation on a stack."""

    logical_id: str
    reason: str
    status: str = ""
    """The final status, if not rolled back."""
    type: str = "AWS::SNS::Topic"


@dataclass
class Made:
    """A change set of the fake."""

    request: ChangeSetRequest
    state: ChangeSetState
    ready: float


@dataclass
class Task:
    """A one-off task of the fake."""

    request: TaskRequest
    began: float
    ends: float
    end: TaskState


@dataclass
class Live:
    """A stack of the fake."""

    state: StackState
    text: str = "{}"
    finish: float | None = None
    end: StackState | None = None
    end_text: str = ""
    events: list[StackEvent] = field(default_factory=list)


class FakeCloud:
    """Takes *seconds* for every operation on a stack, *working_out* for every change set."""

    def __init__(self, clock: Clock, *, seconds: float = 10.0, working_out: float = 0.0) -> None:
        self.clock = clock
        self.seconds: dict[str, float] = {}
        self.usual = seconds
        self.working_out = working_out
        self.live: dict[str, Live] = {}
        self.made: dict[str, Made] = {}
        self.faults: dict[str, Fault] = {}
        self.refusals: dict[str, str] = {}
        """Stack -> reason for the failure of its next change set."""
        self.raises: dict[str, list[Exception]] = {}
        """Method -> exception of its next calls, before they do anything."""
        self.loses: dict[str, list[Exception]] = {}
        """Method -> exception of its next calls, after they have succeeded."""
        self.stale = 0
        """After each operation, how many polls still return the old state."""
        self._behind = 0
        self.foreign_exports: list[ExportState] = []
        self.images: set[str] | None = set()
        self.zone_facts: ZoneFacts | None = None
        self.versions: tuple[str, ...] | None = ("16.4", "16.8", "17.5")
        self.live_version: str | None = None
        self.live_storage: int | None = None
        self.snapshots: dict[str, int] = {}
        self.objects: dict[tuple[str, str], bytes] | None = {}
        self.keys: dict[str, Key] = {}
        """KMS keys by alias."""
        self.found: tuple[Candidate, ...] = ()
        self.departed: tuple[StackState, ...] = ()
        self.snapshots: dict[str, Snapshot] = {}
        """Resources with tags, of the types that are kept."""
        self.holders: tuple[Holder, ...] = ()
        """Resources with names in the account, by any creator."""
        self.conditions: dict[str, list[tuple[float, Condition | None]]] = {}
        """Physical id -> states with their times; without any its service cannot tell."""
        self.trouble: tuple[str, ...] = ()
        """What ECS says about a service."""
        self.drifted: dict[str, tuple[ResourceDrift, ...]] = {}
        """Stack -> what was changed outside CloudFormation."""
        self.tasks: dict[str, Task] = {}
        """One-off tasks by id."""
        self.task_seconds = 30.0
        self.task_ends: list[TaskState] = []
        """Results of the next tasks; by default success."""
        self.ecs = True
        self.taken_snapshots: list[tuple[DatabaseSnapshot, float]] | None = []
        """Manual snapshots of the database, and their times; None: there is no RDS."""
        self.snapshot_seconds = 120.0
        self.snapshot_end = "available"
        self.database_busy_until = 0.0
        self.secret_versions: dict[str, str] = {}
        self.rotates_until: float | None = 0.0
        self.rotated_before = True
        """None: there is no Secrets Manager."""
        self.calls: list[tuple[str, str]] = []
        self._tokens: set[tuple[str, str]] = set()
        self._number = 0
        self._shown: dict[str, StackState] = {}

    # for tests

    def count(self, *methods: str) -> int:
        """Number of calls of *methods*."""
        counts = Counter(method for method, _ in self.calls)
        return sum(counts[method] for method in methods)

    def acts(self, method: str) -> list[str]:
        """Targets of the calls of *method*."""
        return [what for name, what in self.calls if name == method]

    def status(self, name: str) -> str:
        """The status of the stack called *name*."""
        return next((one.status for one in self.stacks([name])), "")

    def has(self, name: str, status: str, text: str | None = None, **more: Any) -> StackState:
        """Add a stack, ours unless tags are given."""
        state = StackState(name, self._id(name), status, **{"tags": OURS, **more})
        self.live[state.id] = Live(state, text or "{}")
        return state

    def changes_by_itself(self, name: str, status: str, seconds: float) -> None:
        """Let the stack called *name* change to *status* after *seconds*, by another user."""
        one = self._named(name)
        assert one
        one.finish = self.clock.now + seconds
        one.end, one.end_text = replace(one.state, status=status, last_updated=self._time()), one.text

    # reads

    def stacks(
        self, names: Collection[str], ids: Collection[str] = (), tags: Mapping[str, str] | None = None
    ) -> tuple[StackState, ...]:
        self._call("stacks", "")
        if self._behind:
            self._behind -= 1
            states = list(self._shown.values())
        else:
            states = [self._settled(one) for one in self.live.values()]
        return tuple(
            state
            for state in states
            if state.id in ids
            or (state.name in names and state.status != "DELETE_COMPLETE")
            or (tags and tags.items() <= state.tags.items() and state.status != "DELETE_COMPLETE")
        )

    def change_set(self, change_set_id: str) -> ChangeSetState | None:
        self._call("change_set", change_set_id)
        one = self.made.get(change_set_id)
        return None if one is None else replace(self._told_of(one), inputs=_inputs_of(one.request))

    def _told_of(self, one: Made) -> ChangeSetState:
        if self.clock.now < one.ready:
            return replace(one.state, status="CREATE_IN_PROGRESS", execution="UNAVAILABLE", changes=())
        if one.state.execution == "EXECUTE_IN_PROGRESS" and self.live[one.state.stack_id].finish is None:
            status = self.live[one.state.stack_id].state.status
            good = status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
            return replace(one.state, execution="EXECUTE_COMPLETE" if good else "EXECUTE_FAILED")
        return one.state

    def holds_template(self, change_set: ChangeSetState, template: str) -> bool | None:
        self._call("holds_template", change_set.id)
        body = self.made[change_set.id].request.body
        return None if body is None else body == template

    def change_set_values(self, change_set_id: str) -> ChangeSetState | None:
        return self.change_set(change_set_id)

    def change_set_names(self, stack_id: str) -> Mapping[str, str]:
        self._call("change_set_names", stack_id)
        return {one.state.name: one.state.id for one in self.made.values() if one.state.stack_id == stack_id}

    def change_set_failures(self, change_set_id: str) -> tuple[str, ...]:
        self._call("change_set_failures", change_set_id)
        return ("Topic: the property Nmae does not exist",)

    def events(
        self, stack_id: str, after: str | None = None, since: datetime | None = None
    ) -> tuple[StackEvent, ...]:
        self._call("events", stack_id)
        one = self.live[stack_id]
        self._settled(one)
        ids = [event.id for event in one.events]
        found = one.events[ids.index(after) + 1 if after in ids else 0 :]
        return tuple(event for event in found if since is None or event.time >= since)

    def resources(self, stack_id: str) -> tuple[Resource, ...]:
        self._call("resources", stack_id)
        found = json.loads(self.live[stack_id].text).get("Resources", {})
        return tuple(
            Resource(name, f"{name}-id", one["Type"], "CREATE_COMPLETE") for name, one in found.items()
        )

    def template(self, stack_id: str) -> str:
        self._call("template", stack_id)
        return self.live[stack_id].text

    def exports(self) -> tuple[ExportState, ...]:
        self._call("exports", "")
        states = [self._settled(one) for one in self.live.values()]
        return (
            *self.foreign_exports,
            *(
                ExportState(output.export, output.value, state.id)
                for state in states
                for output in state.outputs
                if output.export and state.status != "DELETE_COMPLETE"
            ),
        )

    def importers(self, export: str) -> tuple[str, ...]:
        self._call("importers", export)
        return tuple(
            one.state.name for one in self.live.values() if f'"Fn::ImportValue": "{export}"' in one.text
        )

    def partition(self) -> str:
        return "aws"

    def account(self) -> str:
        self._call("account", "")
        return "111122223333"

    def caller(self) -> str:
        return "arn:aws:iam::111122223333:user/somebody"

    def detect_drift(self, stack_id: str) -> str:
        self._call("detect_drift", stack_id)
        return f"{self.clock.now + self.usual}"

    def drift_detection(self, detection_id: str) -> Detection:
        self._call("drift_detection", detection_id)
        return Detection(running=self.clock.now < float(detection_id))

    def resource_drifts(self, stack_id: str) -> tuple[ResourceDrift, ...]:
        self._call("resource_drifts", stack_id)
        return self.drifted.get(self.live[stack_id].state.name, ())

    def resource_drift(self, stack_id: str, logical_id: str) -> ResourceDrift:
        self._call("resource_drift", logical_id)
        drifted = self.drifted.get(self.live[stack_id].state.name, ())
        found = [one for one in drifted if one.logical_id == logical_id]
        return found[0] if found else ResourceDrift(logical_id, "", "", "IN_SYNC")

    def deleted(self, names: Collection[str]) -> tuple[StackState, ...]:
        self._call("deleted", ", ".join(names))
        return tuple(one for one in self.departed if one.name in names)

    def final_snapshot(self, one: Kept, stack_name: str) -> Snapshot | None:
        self._call("final_snapshot", one.physical_id)
        return self.snapshots.get(one.physical_id)

    # acts

    def create_change_set(self, request: ChangeSetRequest) -> ChangeSetState:
        self._call("create_change_set", request.name)
        name = request.stack.split("/")[1] if "/" in request.stack else request.stack
        one = self._named(name)
        if one is None:
            one = Live(StackState(name, self._id(name), "REVIEW_IN_PROGRESS"))
            self.live[one.state.id] = one
        for other in self.made.values():
            if (other.state.name, other.state.stack_id) == (request.name, one.state.id):
                return replace(other.state, inputs=_inputs_of(other.request))
        state = self._worked_out(request, one)
        self.made[state.id] = Made(request, state, self.clock.now + self.working_out)
        self._lose("create_change_set")
        return replace(state, status="CREATE_PENDING", execution="UNAVAILABLE", changes=(), reason="")

    def delete_change_set(self, change_set_id: str) -> None:
        self._call("delete_change_set", change_set_id)
        self.made.pop(change_set_id, None)

    def execute(self, change_set_id: str, token: str, *, creation: bool) -> None:
        self._call("execute", change_set_id)
        if self._repeated("execute", token):
            return
        if change_set_id not in self.made:
            raise MovedOn(f"the change set {change_set_id} is gone")
        made = self.made[change_set_id]
        assert made.state.execution == "AVAILABLE", made.state
        one = self.live[made.state.stack_id]
        kind = made.request.kind
        text = made.request.body or json.dumps({"Resources": {}, "Outputs": {}})
        done = replace(
            one.state,
            status=f"{kind}_COMPLETE",
            reason="",
            change_set_id=change_set_id,
            last_updated=None if creation else self._time(),
            outputs=_outputs(text),
            parameters=dict(made.request.parameters),
            tags=dict(made.request.tags),
        )
        self._start(one, f"{kind}_IN_PROGRESS", done, text, change_set_id)
        self.made = {key: other for key, other in self.made.items() if other.state.stack_id != one.state.id}
        self.made[change_set_id] = replace(made, state=replace(made.state, execution="EXECUTE_IN_PROGRESS"))
        self._lose("execute")

    def delete_stack(self, stack_id: str, token: str) -> None:
        self._call("delete_stack", stack_id)
        one = self.live[stack_id]
        if one.state.protected:
            raise CloudError(
                f"Stack [{one.state.name}] cannot be deleted while TerminationProtection is enabled"
            )
        if self._repeated("delete_stack", token):
            return
        done = replace(one.state, status="DELETE_COMPLETE", reason="", outputs=())
        self._start(one, "DELETE_IN_PROGRESS", done, "{}")
        self._lose("delete_stack")

    def continue_rollback(self, stack_id: str, token: str, skip: Collection[str] = ()) -> None:
        self._roll("continue_rollback", stack_id, token)

    def roll_back(self, stack_id: str, token: str) -> None:
        self._roll("roll_back", stack_id, token)

    def protect(self, stack_id: str, *, on: bool) -> None:
        self._call("protect", f"{stack_id} {'on' if on else 'off'}")
        one = self.live[stack_id]
        one.state = replace(one.state, protected=on)

    # other services

    def taken(self, wanted: Mapping[str, Collection[str]]) -> Taken:
        self._call("taken", "")
        held = (one for one in self.holders if one.name in wanted.get(one.type, ()))
        return Taken(tuple(held))

    def kept(self, tags: Mapping[str, str], repositories: Collection[str]) -> tuple[Candidate, ...] | None:
        self._call("kept", ", ".join(repositories))
        return tuple(one for one in self.found if tags.items() <= one.tags.items())

    def key(self, alias: str) -> Key | None:
        self._call("key", alias)
        return self.keys.get(alias)

    def zones(self, needs: Needs, subnets: tuple[str, ...]) -> ZoneFacts | None:
        self._call("zones", ",".join(subnets))
        return self.zone_facts

    def has_image(self, repository: str, tag: str) -> bool | None:
        self._call("has_image", f"{repository}:{tag}")
        return None if self.images is None else f"{repository}:{tag}" in self.images

    def interfaces(self, subnets: Collection[str], groups: Collection[str]) -> tuple[Interface, ...] | None:
        self._call("interfaces", ",".join([*subnets, *groups]))
        return ()

    def rule_groups(self, rule: str) -> Mapping[str, int] | None:
        self._call("rule_groups", rule)
        return None

    def engine_versions(self, engine: str) -> tuple[str, ...] | None:
        self._call("engine_versions", engine)
        return self.versions

    def database_version(self, identifier: str, *, cluster: bool = False) -> str | None:
        self._call("database_version", f"{identifier} (cluster)" if cluster else identifier)
        return self.live_version

    def database_storage(self, identifier: str) -> int | None:
        self._call("database_storage", identifier)
        return self.live_storage

    def snapshot_storage(self, snapshot: str) -> int | None:
        self._call("snapshot_storage", snapshot)
        return self.snapshots.get(snapshot)

    def get_object(self, bucket: str, key: str) -> bytes | None:
        self._call("get_object", key)
        return (self.objects or {}).get((bucket, key))

    def put_object(self, bucket: str, key: str, body: bytes) -> bool:
        self._call("put_object", key)
        if self.objects is None:
            return False
        self.objects[bucket, key] = body
        return True

    def artifacts_bucket(self, account: str) -> str:
        self._call("artifacts_bucket", account)
        return f"artifacts-{account}"

    def object_url(self, bucket: str, key: str) -> str:
        return f"https://s3.example/{bucket}/{key}"

    def condition(self, type_name: str, physical_id: str) -> Condition | None:
        self._call("condition", physical_id)
        told = [one for since, one in self.conditions.get(physical_id, ()) if since <= self.clock.now]
        return told[-1] if told else None

    def service_trouble(self, service: str) -> tuple[str, ...]:
        self._call("service_trouble", service)
        return self.trouble

    def unlock(self, resource: Resource) -> None:
        self._call("unlock", resource.logical_id)

    def empty_bucket(self, bucket: str) -> int | None:
        self._call("empty_bucket", bucket)
        return None if self.objects is None else 0

    def delete_log_group(self, name: str) -> None:
        self._call("delete_log_group", name)

    # snapshots before a migration

    def database_snapshots(self, wanted: SnapshotFirst) -> tuple[DatabaseSnapshot, ...] | None:
        self._call("database_snapshots", wanted.database)
        return (
            None if self.taken_snapshots is None else tuple(self._seen(one) for one in self.taken_snapshots)
        )

    def take_snapshot(self, wanted: SnapshotFirst, name: str, tags: Mapping[str, str]) -> bool:
        self._call("take_snapshot", name)
        assert self.taken_snapshots is not None
        if self.clock.now < self.database_busy_until:
            return False
        if name not in {one.id for one, _ in self.taken_snapshots}:
            self.taken_snapshots.append((DatabaseSnapshot(name, "creating", 0.0, dict(tags)), self.clock.now))
        self._lose("take_snapshot")
        return True

    def delete_snapshot(self, wanted: SnapshotFirst, name: str) -> None:
        self._call("delete_snapshot", name)
        self.taken_snapshots = [one for one in self.taken_snapshots or () if one[0].id != name]

    def _seen(self, made: tuple[DatabaseSnapshot, float]) -> DatabaseSnapshot:
        one, at = made
        age = self.clock.now - at
        done = self.snapshot_end if age >= self.snapshot_seconds else "creating"
        return replace(one, status=done, age_seconds=age)

    # one-off tasks; an exported definition is called after its image

    def task_images(self, definition: str) -> Mapping[str, str] | None:
        self._call("task_images", definition)
        if not self.ecs:
            return None
        return {"migration": f"registry/{definition.removeprefix(DEFINITION)}"}

    def secret_version(self, secret: str) -> str | None:
        self._call("secret_version", secret)
        return self.secret_versions.get(secret)

    def rotating(self, secret: str) -> Rotating | None:
        self._call("rotating", secret)
        if self.rotates_until is None:
            return None
        going = self.clock.now < self.rotates_until
        return Rotating(secret, "v2" if going else None, first=going and not self.rotated_before)

    def running_task(self, request: TaskRequest) -> TaskState | None:
        self._call("running_task", request.definition)
        states = [
            self._told(one) for one in self.tasks.values() if one.request.definition == request.definition
        ]
        return next((state for state in states if not state.stopped), None)

    def run_task(self, request: TaskRequest) -> TaskState:
        self._call("run_task", request.definition)
        for one in self.tasks.values():
            if one.request.token == request.token:
                return self._told(one)
        number = f"arn:task/{len(self.tasks) + 1}"
        end = self.task_ends.pop(0) if self.task_ends else TaskState("", exit_code=0)
        now = self.clock.now
        made = Task(request, now, now + self.task_seconds, replace(end, id=number, stopped=True))
        self.tasks[number] = made
        self._lose("run_task")
        return self._told(made)

    def task(self, request: TaskRequest, task_id: str) -> TaskState | None:
        self._call("task", task_id)
        return self._told(self.tasks[task_id]) if task_id in self.tasks else None

    def _told(self, task: Task) -> TaskState:
        return task.end if self.clock.now >= task.ends else TaskState(task.end.id)

    # inside

    def _call(self, method: str, what: str) -> None:
        self.calls.append((method, what))
        if self.raises.get(method):
            raise self.raises[method].pop(0)

    def _lose(self, method: str) -> None:
        if self.loses.get(method):
            raise self.loses[method].pop(0)

    def _repeated(self, method: str, token: str) -> bool:
        seen = (method, token) in self._tokens
        self._tokens.add((method, token))
        return seen

    def _id(self, name: str) -> str:
        self._number += 1
        return f"arn:aws:cloudformation:eu-west-1:111122223333:stack/{name}/{self._number}"

    def _time(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now, UTC)

    def _named(self, name: str) -> Live | None:
        found = (one for one in self.live.values() if one.state.name == name)
        return next((one for one in found if self._settled(one).status != "DELETE_COMPLETE"), None)

    def _worked_out(self, request: ChangeSetRequest, one: Live) -> ChangeSetState:
        self._number += 1
        change_set_id = f"arn:change-set/{request.name}/{self._number}"
        base = ChangeSetState(request.name, change_set_id, one.state.id, "FAILED")
        if reason := self.refusals.pop(one.state.name, ""):
            return replace(base, reason=reason)
        live = (one.state.parameters, one.state.tags)
        same_text = request.body is not None and json.loads(request.body) == json.loads(one.text)
        if same_text and live == (request.parameters, request.tags):
            return replace(base, reason=NO_CHANGES)
        changes = _changes(one.text, request.body or "{}")
        return replace(base, status="CREATE_COMPLETE", execution="AVAILABLE", changes=changes)

    def _roll(self, method: str, stack_id: str, token: str) -> None:
        self._call(method, stack_id)
        if not self._repeated(method, token):
            one = self.live[stack_id]
            done = replace(one.state, status="UPDATE_ROLLBACK_COMPLETE", reason="", last_updated=self._time())
            self._start(one, "UPDATE_ROLLBACK_IN_PROGRESS", done, one.text)

    def _start(self, one: Live, doing: str, done: StackState, text: str, executed: str | None = None) -> None:
        self._shown = {key: other.state for key, other in self.live.items()}
        self._behind = self.stale
        one.state = replace(one.state, status=doing, reason="", tags=done.tags)
        one.state = replace(one.state, change_set_id=executed or one.state.change_set_id)
        self._event(one, one.state.name, one.state.id, doing)
        if fault := self.faults.pop(one.state.name, None):
            verb = doing.removesuffix("_IN_PROGRESS")
            usual = {"CREATE": "ROLLBACK_COMPLETE", "UPDATE": "UPDATE_ROLLBACK_COMPLETE"}
            status = fault.status or usual.get(verb, "DELETE_FAILED")
            self._event(one, "Other", "other", f"{verb}_FAILED", "Resource creation cancelled")
            self._event(one, fault.logical_id, "some-id", f"{verb}_FAILED", fault.reason, fault.type)
            done = replace(one.state, status=status, reason="The following resource(s) failed", outputs=())
            text = "{}" if verb == "CREATE" else one.text
        one.finish = self.clock.now + self.seconds.get(one.state.name, self.usual)
        one.end, one.end_text = done, text
        self._settled(one)

    def _settled(self, one: Live) -> StackState:
        if one.finish is not None and self.clock.now >= one.finish and one.end is not None:
            one.state, one.text, one.finish = one.end, one.end_text, None
            self._event(one, one.state.name, one.state.id, one.state.status, one.state.reason)
        return one.state

    def _event(
        self,
        one: Live,
        logical_id: str,
        physical_id: str,
        status: str,
        reason: str = "",
        type_: str = "AWS::SNS::Topic",
    ) -> None:
        kind = "AWS::CloudFormation::Stack" if physical_id == one.state.id else type_
        self._number += 1
        name, stack_id = one.state.name, one.state.id
        event = StackEvent(
            f"event-{self._number}",
            stack_id,
            name,
            self._time(),
            logical_id,
            physical_id,
            kind,
            status,
            reason,
        )
        one.events.append(event)


def _inputs_of(request: ChangeSetRequest) -> ChangeSetInputs:
    alarms, minutes = request.rollback_alarms, request.rollback_minutes
    given = (request.parameters, request.tags, request.capabilities, alarms, minutes)
    return ChangeSetInputs(*given, express=request.express)


def _outputs(text: str) -> tuple[Output, ...]:
    outputs = json.loads(text).get("Outputs", {})
    return tuple(Output(key, one["Value"], one.get("Export", {}).get("Name")) for key, one in outputs.items())


def _changes(live: str, wanted: str) -> tuple[Change, ...]:
    """Properties called Replace determine their change."""
    before, after = (json.loads(text).get("Resources", {}) for text in (live, wanted))
    found = [Change("Add", name, after[name]["Type"]) for name in sorted(after.keys() - before.keys())]
    found += [Change("Remove", name, before[name]["Type"]) for name in sorted(before.keys() - after.keys())]
    for name in sorted(after.keys() & before.keys()):
        if after[name] != before[name]:
            replaces = after[name].get("Properties", {}).get("Replace", "False")
            found.append(Change("Modify", name, after[name]["Type"], replacement=replaces))
    return tuple(found)
