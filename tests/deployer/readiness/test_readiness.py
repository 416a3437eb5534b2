"""Express mode: a stack ends before its resources are ready, and the run waits for them where it matters."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from deployer.changes.preview import EXPRESS, plan
from deployer.day2.service import Deployment, Service
from deployer.errors import CloudError, NotAllowed, Transient
from deployer.options import Options
from deployer.progress import Notice, StackFinished, StackStarted, Waiting
from deployer.readiness.table import LOOKED_AT, SERVICE, TABLE, Condition, Watched, judged, went_back
from deployer.run.change_sets import NO_EXPRESS, express
from deployer.states import StackState
from generator.manifest import Manifest, StackSpec
from tests.deployer.fakes import manifest, spec, template
from tests.deployer.run.migrations import gateway, ran
from tests.deployer.run.runs import World, outcomes

DATABASE = "AWS::RDS::DBInstance"
NEW, OLD = "definition:2", "definition:1"

# the table


@pytest.mark.parametrize(
    ("type_name", "status", "wanted"),
    [
        (DATABASE, "creating", "becoming"),
        (DATABASE, "modifying", "becoming"),
        (DATABASE, "rebooting", "becoming"),
        (DATABASE, "", "becoming"),
        (DATABASE, "available", "ready"),
        (DATABASE, "storage-optimization", "ready"),
        (DATABASE, "incompatible-parameters", "failed"),
        ("AWS::RDS::DBCluster", "backing-up", "ready"),
        ("AWS::EC2::NatGateway", "pending", "becoming"),
        ("AWS::EC2::NatGateway", "available", "ready"),
        ("AWS::EC2::NatGateway", "failed", "failed"),
        ("AWS::EC2::VPCEndpoint", "Available", "ready"),
        ("AWS::EC2::VPCEndpoint", "pendingAcceptance", "becoming"),
        ("AWS::EC2::VPCEndpoint", "Rejected", "failed"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "provisioning", "becoming"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "active_impaired", "ready"),
        ("AWS::ElastiCache::ReplicationGroup", "creating", "becoming"),
        ("AWS::ElastiCache::ReplicationGroup", "create-failed", "failed"),
        ("AWS::ElastiCache::ReplicationGroup", "available", "ready"),
    ],
)
def test_a_status_says_whether_a_resource_is_ready_or_never_will_be(
    type_name: str, status: str, wanted: str
) -> None:
    found = judged(Watched("One", "one-id", type_name), Condition(status))

    assert found.readiness == wanted
    assert (status.lower() in found.text) is (wanted != "ready" and status != "") or status == ""


def test_no_row_has_a_status_that_is_both_and_each_has_its_source() -> None:
    assert not [name for name, row in TABLE.items() if row.ready & row.failed or not row.source]
    assert {*TABLE, SERVICE} == LOOKED_AT


def deployed(
    rollout: str = "COMPLETED", *, reason: str = "", definition: str = NEW, **more: Any
) -> Deployment:
    status = more.pop("status", "PRIMARY")
    return Deployment(f"{definition} {status}", status, rollout, reason, 2, definition=definition, **more)


def service(*deployments: Deployment, status: str = "ACTIVE") -> Condition:
    return Condition("", Service("arn", "proxy", status, 2, 2, NEW, deployments))


FAILED = deployed("FAILED", reason="tasks failed to start.", status="ACTIVE")
BACK = deployed("IN_PROGRESS", reason="circuit breaker: rolling back to deploymentId 1.", definition=OLD)


@pytest.mark.parametrize(
    ("condition", "wanted", "text"),
    [
        (Condition(""), "becoming", "not visible"),
        (service(status="DRAINING"), "failed", "DRAINING"),
        (service(), "becoming", "does not run"),
        (service(deployed("IN_PROGRESS", running=1)), "becoming", "1 of 2 new tasks run"),
        (service(deployed(running=2)), "ready", ""),
        (service(deployed("", running=1)), "becoming", "1 of 2"),
        (service(deployed("", running=2)), "ready", ""),
        (service(deployed(definition=OLD)), "becoming", "does not run"),
        (service(deployed("FAILED", reason="no task ran")), "failed", "no task ran"),
        (service(BACK, FAILED), "failed", "tasks failed to start"),
        (service(BACK), "becoming", "does not run"),
        (service(deployed(running=2), replace(FAILED, definition="definition:0")), "ready", ""),
        (service(replace(FAILED, reason="")), "failed", "its tasks did not start"),
    ],
)
def test_a_service_is_ready_when_the_deployment_of_its_stack_is_complete(
    condition: Condition, wanted: str, text: str
) -> None:
    found = judged(Watched("Proxy", "arn", SERVICE, NEW), condition)

    assert (found.readiness, text in found.text) == (wanted, True)


@pytest.mark.parametrize(
    ("condition", "definition", "wanted"),
    [
        (service(deployed(definition=OLD)), NEW, True),
        (service(BACK), NEW, True),
        (service(deployed("IN_PROGRESS", definition=OLD)), NEW, False),
        (service(deployed()), NEW, False),
        (service(), NEW, False),
        (Condition(""), NEW, False),
        (service(deployed(definition=OLD)), "", False),
    ],
)
def test_a_service_with_other_tasks_than_its_stack_went_back_to_them(
    condition: Condition, definition: str, *, wanted: bool
) -> None:
    assert went_back(Watched("Proxy", "arn", SERVICE, definition), condition.service) is wanted


@pytest.mark.parametrize(
    ("mode", "status", "kind", "wanted"),
    [
        ("never", "CREATE_COMPLETE", "UPDATE", False),
        ("always", "", "CREATE", True),
        ("always", "", "IMPORT", False),
        ("updates", "", "CREATE", False),
        ("updates", "UPDATE_COMPLETE", "UPDATE", True),
        ("updates", "IMPORT_COMPLETE", "UPDATE", False),
    ],
)
def test_which_change_sets_ask_for_express_mode(mode: Any, status: str, kind: Any, *, wanted: bool) -> None:
    stack = StackState("dev-a", "id", status) if status else None

    assert express(spec("a", express=mode), stack, kind) is wanted


# a run


def five(**changed: Any) -> Manifest:
    """A network, a database that holds its address, a queue between, and a service behind all of them."""
    service_of = {
        "Proxy": {"Type": SERVICE, "Properties": {"TaskDefinition": {"Ref": "Task"}}},
        "Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": changed},
    }
    return manifest(
        made("network", template({"Nat": {"Type": "AWS::EC2::NatGateway"}}, exports=["dev-network-Id"])),
        made("database", template({"Db": {"Type": DATABASE}}, ["dev-database-Id"], ["dev-network-Id"])),
        made("queue", template(exports=["dev-queue-Id"], imports=["dev-database-Id"])),
        made("service", template(service_of, imports=["dev-queue-Id"])),
    )


def made(name: str, text: str) -> StackSpec:
    return spec(name, text, express="always")


def is_(*told: tuple[float, str]) -> list[tuple[float, Condition | None]]:
    return [(since, Condition(status)) for since, status in told]


class Diary(list[Any]):
    """What a run has told, with the time of each."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._clock, self.times = world.clock, dict[tuple[type, str], float]()

    def append(self, event: Any) -> None:
        name = event.result.name if isinstance(event, StackFinished) else getattr(event, "stack", "")
        self.times.setdefault((type(event), name), self._clock.now)
        super().append(event)


class Express(World):
    """Every stack takes ten seconds; NAT is ready after 50, the database after 300, tasks after 370."""

    def __init__(self) -> None:
        super().__init__()
        self.told = self.diary = Diary(self)
        self.cloud.conditions = {
            "Nat-id": is_((0, "pending"), (50, "available")),
            "Db-id": is_((0, "creating"), (300, "available")),
            "Proxy-id": [
                (0, service(deployed("IN_PROGRESS", definition="Task-id"))),
                (370, service(deployed(running=2, definition="Task-id"))),
            ],
        }

    def at(self, kind: type, name: str) -> float:
        return self.diary.times[kind, name]

    def reason(self, wanted: Manifest, **options: Any) -> str:
        """Deploy, and return why the service's stack failed."""
        found = next(one for one in self.deploy(wanted, **options).stacks if one.name == "service")
        assert (found.outcome, found.status) == ("failed", "CREATE_COMPLETE")
        return found.reason


@pytest.fixture
def world() -> Express:
    return Express()


def test_a_run_ends_with_everything_ready_and_only_what_runs_tasks_waits(world: Express) -> None:
    result = world.deploy(five(), poll_interval=5.0)

    assert outcomes(result) == dict.fromkeys(("network", "database", "queue", "service"), ("create", "done"))
    assert all(one.request.express for one in world.cloud.made.values())
    assert world.at(StackStarted, "database") < 50 <= world.at(StackFinished, "network") < 60
    assert world.at(StackStarted, "queue") < 60
    assert 300 <= world.at(StackFinished, "database") <= world.at(StackStarted, "service") < 320
    assert 370 <= world.clock.now < 390
    assert [one.reason for one in world.said(Waiting)] == [
        "the NAT gateway Nat is pending",
        "the database Db is creating",
        "the service Proxy: 0 of 2 new tasks run",
    ]


def test_a_migration_waits_for_a_database_whose_stack_has_ended(world: Express) -> None:
    world.cloud.images = {"dev-litellm:v1"}
    wanted = gateway()
    database = json.loads(wanted.stacks[1].template)
    database["Resources"]["Db"] = {"Type": DATABASE}
    stacks = (wanted.stacks[0], replace(wanted.stacks[1], template=json.dumps(database)), wanted.stacks[2])
    result = world.deploy(replace(wanted, stacks=tuple(replace(one, express="always") for one in stacks)))

    began = min(task.began for task in world.cloud.tasks.values())
    assert {one.outcome for one in result.stacks} == {"done"}
    assert (ran(world), began >= 300, world.at(StackFinished, "database") >= 300) == (
        ["dev-litellm:v1"],
        True,
        True,
    )


def test_a_deployment_that_fails_after_its_stack_has_ended_is_told_with_cause_and_way_back(
    world: Express,
) -> None:
    world.cloud.conditions["Proxy-id"][1] = (370, service(BACK, replace(FAILED, definition="Task-id")))
    world.cloud.trouble = ("a task stopped: exit code 1",)

    assert world.reason(five()) == (
        "the deployment of the service Proxy failed after its stack had ended: tasks failed to start.; a "
        "task stopped: exit code 1 -> the tasks before it run on: correct the file and run `gatestack deploy "
        "dev`; where the cause is not in the file, run it with the previous file first, then with this one"
    )


def test_the_same_command_after_it_does_not_take_old_tasks_for_new_ones(world: Express) -> None:
    """ECS forgets a deployment that failed, and CloudFormation has nothing to change."""
    world.deploy(five(), poll_interval=5.0)
    world.cloud.conditions["Proxy-id"].append((world.clock.now, service(deployed(definition=OLD))))
    again = world.deploy(five(), poll_interval=5.0)

    found = next(one for one in again.stacks if one.name == "service")
    assert (found.action, found.outcome) == ("update", "failed")
    assert "ECS runs other tasks in Proxy than its stack says" in found.reason


def test_a_first_deployment_that_fails_is_told_with_the_command_that_starts_tasks(world: Express) -> None:
    first = deployed("FAILED", reason="no task ran", definition="Task-id")
    world.cloud.conditions["Proxy-id"][1] = (370, service(first))

    assert world.reason(five()).endswith(
        "no task ran -> no task ran before it: fix the cause and run `gatestack rollout dev`, or correct the "
        "file and run `gatestack deploy dev`"
    )


@pytest.mark.parametrize("mode", ["corrected", "previous"])
def test_either_way_back_leads_to_a_service_that_runs(world: Express, mode: str) -> None:
    world.deploy(five(), poll_interval=5.0)
    good = world.cloud.conditions["Proxy-id"][-1][1]
    failing = service(BACK, replace(FAILED, definition="Task-id"))
    world.cloud.conditions["Proxy-id"].append((world.clock.now, failing))
    assert world.deploy(five(Image="bad"), poll_interval=5.0).exit_code != 0

    world.cloud.conditions["Proxy-id"].append((world.clock.now + 10, good))
    file = five() if mode == "previous" else five(Image="good")
    assert world.deploy(file, poll_interval=5.0).exit_code == 0


def test_a_producer_that_never_becomes_ready_fails_and_what_waits_for_it_does_not_begin(
    world: Express,
) -> None:
    world.cloud.conditions["Db-id"] = is_((0, "creating"), (100, "incompatible-network"))
    result = world.deploy(five(), poll_interval=5.0)

    assert {one.name: one.outcome for one in result.stacks} == {
        "network": "done",
        "database": "failed",
        "queue": "done",
        "service": "skipped",
    }
    assert result.stacks[1].reason == (
        "the database Db is incompatible-network -> AWS does not repair it: correct the file so that it is "
        "replaced, or, where nothing holds data yet, run `gatestack destroy dev` and `gatestack deploy dev`"
    )

    assert world.deploy(five(), poll_interval=5.0).exit_code != 0
    world.destroy(five())
    now = world.clock.now
    world.cloud.conditions["Db-id"] = is_((now, "creating"), (now + 300, "available"))
    assert world.deploy(five(), poll_interval=5.0).exit_code == 0


def test_a_stack_that_goes_on_ends_by_itself_when_its_producer_fails(world: Express) -> None:
    world.cloud.seconds["dev-database"] = 200.0
    world.cloud.conditions["Nat-id"] = is_((0, "pending"), (40, "failed"))
    result = world.deploy(five(), poll_interval=5.0)

    found = {one.name: (one.outcome, one.status) for one in result.stacks}
    assert found["network"] == ("failed", "CREATE_COMPLETE")
    assert found["database"] == ("done", "CREATE_COMPLETE")
    assert found["service"][0] == "skipped"


def test_a_wait_is_bounded_by_the_time_limit_of_the_stack(world: Express) -> None:
    world.cloud.conditions["Db-id"] = is_((0, "creating"))
    wanted = five()
    limited = tuple(replace(one, timeout_minutes=20) for one in wanted.stacks)
    result = world.deploy(replace(wanted, stacks=limited))

    found = next(one for one in result.stacks if one.name == "database")
    assert (found.outcome, found.reason) == (
        "going-on",
        "not finished after 20 minutes: the database Db is creating",
    )


def test_a_run_after_one_that_was_killed_waits_for_what_is_not_ready_although_nothing_changes(
    world: Express,
) -> None:
    world.signals = [15.0, 20.0]
    assert world.deploy(five(), poll_interval=5.0).interrupted
    world.signals = []
    result = world.deploy(five(), poll_interval=5.0)

    assert {one.outcome for one in result.stacks} == {"done"}
    assert world.clock.now >= 370


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (Transient("throttled"), "done"),
        (NotAllowed("grant the permission ec2:DescribeNatGateways"), "failed"),
        (CloudError("who knows"), "failed"),
    ],
)
def test_a_readiness_that_cannot_be_seen_is_no_success(world: Express, error: Exception, wanted: str) -> None:
    world.cloud.raises["condition"] = [error]
    result = world.deploy(five(), poll_interval=5.0)

    assert (result.stacks[0].outcome, str(error) in result.stacks[0].reason) == (wanted, wanted == "failed")


def test_an_endpoint_whose_services_do_not_tell_is_believed_with_a_notice(world: Express) -> None:
    del world.cloud.conditions["Nat-id"]
    world.deploy(five(), poll_interval=5.0)

    assert "whether Nat is ready is not seen: this endpoint does not say" in texts(world)


def test_a_database_that_somebody_has_stopped_is_no_wait_and_started_the_same_command_goes_on(
    world: Express,
) -> None:
    world.cloud.conditions["Db-id"] = is_((0, "stopped"))
    found = world.deploy(five(), poll_interval=5.0).stacks[1]
    assert found.reason == "the database Db is stopped -> start it, then run `gatestack deploy dev`"

    world.cloud.conditions["Db-id"] = is_((0, "available"))
    assert world.deploy(five(), poll_interval=5.0).exit_code == 0


def texts(world: World) -> list[str]:
    return [one.text for one in world.said(Notice)]


def test_in_standard_mode_nothing_is_looked_at(world: Express) -> None:
    world.deploy(manifest(*(replace(one, express="never") for one in five().stacks)))

    assert not [what for method, what in world.cloud.calls if method == "condition"]
    assert not any(one.request.express for one in world.cloud.made.values())


def test_the_plan_tells_of_it_in_one_line(world: Express) -> None:
    host = world._host()
    found = plan(five(), world.cloud, Options(), host)
    usual = plan(manifest(spec("a")), world.cloud, Options(), host)

    assert (EXPRESS in found.notices, EXPRESS in usual.notices) == (True, False)


def test_an_endpoint_that_passes_over_the_mode_is_told_of_once(
    world: Express, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world.cloud.create_change_set
    monkeypatch.setattr(
        world.cloud, "create_change_set", lambda request: made(replace(request, express=False))
    )
    result = world.deploy(five(), poll_interval=5.0)

    assert ({one.outcome for one in result.stacks}, texts(world).count(NO_EXPRESS)) == ({"done"}, 1)
