"""`preflight` over facts as AWS would tell them: every concern, and in what order it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from deployer.checks.key import Key
from deployer.checks.names import Holder
from deployer.checks.zones import Zone, ZoneFacts
from deployer.day2.verification import Check
from deployer.errors import CloudError, NotAllowed, NotOffered
from deployer.graph import graph
from deployer.preflight import login, quotas
from deployer.preflight.account import Decision, Identity, Limit, Metric
from deployer.preflight.check import preflight
from deployer.preflight.demand import wanted
from deployer.preflight.quota_table import QUOTAS
from generator.manifest import Manifest
from generator.render import render
from tests.deployer.fakes import OURS, Clock, FakeCloud, host
from tests.stacks.bootstrap.iam_worlds import world

ACCOUNT = "123456789012"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Deployer/me"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/Deployer"

ME = Identity(ACCOUNT, SESSION)


@cache
def rendered(name: str = "dev") -> Manifest:
    return render(world(name))


@dataclass
class FakeAccount:
    """An account in which nothing is refused, unless a test says what is."""

    who: Identity = ME
    region: str | None = "opt-in-not-required"
    missing_services: frozenset[str] = frozenset()
    roles: Mapping[str, str] = field(default_factory=lambda: {"Deployer": ROLE})
    linked: bool = True
    """Whether all services' own roles are there."""
    denied: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Action -> what its decision says beside that it is denied."""
    limits: Mapping[str, Limit] = field(default_factory=dict)
    usage: Mapping[str, float] = field(default_factory=dict)
    databases: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    iam: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    sold: bool | None = True
    snapshots: frozenset[str] = frozenset()
    long: bool | None = True
    raises: Mapping[str, Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if what in self.raises:
            raise self.raises[what]

    def identity(self) -> Identity:
        self._ask("identity")
        return self.who

    def region_status(self) -> str | None:
        self._ask("region_status")
        return self.region

    def offered(self, services: Any) -> frozenset[str]:
        self._ask("offered")
        return frozenset(services) - self.missing_services

    def role_arn(self, name: str) -> str | None:
        self._ask("role_arn")
        if name.startswith("AWSServiceRole"):
            return f"arn:aws:iam::{ACCOUNT}:role/{name}" if self.linked else None
        return self.roles.get(name)

    def simulate(self, source: str, requests: Any, context: Any) -> tuple[Decision, ...]:
        self._ask("simulate")
        assert source in self.roles.values() or ":user/" in source
        return tuple(
            Decision(one.action, one.resource, allowed=False, **self.denied[one.action])
            if one.action in self.denied
            else Decision(one.action, one.resource, allowed=True)
            for one in requests
        )

    def limit(self, service: str, code: str) -> Limit | None:
        self._ask("limit")
        return self.limits.get(code)

    def used(self, what: str, metric: Metric | None) -> float | None:
        self._ask("used")
        return self.usage.get(what)

    def database_limits(self) -> Mapping[str, tuple[float, float]]:
        self._ask("database_limits")
        return self.databases

    def role_limits(self) -> Mapping[str, tuple[float, float]]:
        self._ask("role_limits")
        return self.iam

    def orderable(self, engine: str, version: str, instance_class: str) -> bool | None:
        self._ask("orderable")
        assert (engine, instance_class) == ("postgres", "db.t3.micro")
        return self.sold

    def snapshot(self, identifier: str, *, cluster: bool) -> bool | None:
        self._ask("snapshot")
        return identifier in self.snapshots

    def long_arns(self) -> bool | None:
        self._ask("long_arns")
        return self.long


class Cloud(FakeCloud):
    """The fake, with an account around it."""

    def partition(self) -> str:
        return "aws"

    def account(self) -> str:
        return ACCOUNT


def cloud() -> Cloud:
    made = Cloud(Clock())
    made.images, made.versions = {"dev-litellm:v1.108.7"}, ("15.15",)
    made.zone_facts = ZoneFacts((Zone("us-east-1a", "use1-az1"), Zone("us-east-1b", "use1-az2")))
    return made


def look(
    account: FakeAccount, manifest: Manifest | None = None, there: FakeCloud | None = None
) -> tuple[Check, ...]:
    return preflight(manifest or rendered(), there or cloud(), account, host(Clock()), "dev")


def refused(found: tuple[Check, ...]) -> list[str]:
    return [one.name for one in found if one.outcome == "refused"]


def the(found: tuple[Check, ...], name: str) -> Check:
    return next(one for one in found if one.name == name)


def test_an_account_that_refuses_nothing_is_told_so_in_short_lines() -> None:
    found = look(FakeAccount())

    assert {one.outcome for one in found} == {"ok"}
    assert all(len(one.detail) < 90 for one in found)


MANY = {
    "VPCs per region": FakeAccount(usage={"vpcs": 5}),
    "Elastic IP addresses": FakeAccount(limits={"L-0263D0A3": Limit(0)}),
    "Fargate Spot vCPUs": FakeAccount(limits={"L-36FBB829": Limit(6)}, usage={"metric": 5.75}),
    "rules per security group": FakeAccount(limits={"L-0EA8095F": Limit(1)}),
    "database instances": FakeAccount(databases={"DBInstances": (40, 40)}),
    "database storage (GB)": FakeAccount(databases={"AllocatedStorage": (99_990, 100_000)}),
    "database parameter groups": FakeAccount(databases={"DBParameterGroups": (50, 50)}),
    "IAM roles": FakeAccount(iam={"Roles": (999, 1000)}),
}


@pytest.mark.parametrize("words", MANY)
def test_a_quota_without_room_is_refused_with_what_asks_for_more(words: str) -> None:
    found = look(MANY[words])

    assert refused(found) == [f"quota {words}"]
    assert found[0].outcome == "refused"
    asks = "aws service-quotas request-service-quota-increase --service-code"
    assert asks in found[0].remedy or "ask AWS's support" in found[0].remedy


def test_what_only_full_load_needs_is_a_warning() -> None:
    found = look(FakeAccount(limits={"L-36FBB829": Limit(3)}))

    assert refused(found) == []
    assert the(found, "quota Fargate Spot vCPUs").outcome == "warning"
    assert "under full load, while a deployment rolls, 4" in the(found, "quota Fargate Spot vCPUs").detail
    assert "--desired-value 4" in the(found, "quota Fargate Spot vCPUs").remedy


def test_what_the_stacks_hold_is_not_needed_again() -> None:
    there = cloud()
    for spec in rendered().stacks:
        there.has(spec.stack_name, "CREATE_COMPLETE", spec.template, parameters={"DesiredCount": "1"})

    full = FakeAccount(
        usage={"vpcs": 5, "addresses": 5}, iam={"Roles": (1000, 1000)}, linked=False, long=False
    )

    assert refused(look(full)) != []
    assert refused(look(full, there=there)) == []


def test_every_quota_can_be_reached_by_some_environment() -> None:
    reached = {one.code for name in ("dev", "prod") for one in quotas.needed(wanted(rendered(name), ()))}

    assert reached == {one.code for one in QUOTAS}


REFUSALS: dict[str, tuple[FakeAccount, str]] = {
    "services": (FakeAccount(missing_services=frozenset({"fargate"})), "us-east-1 does not offer fargate"),
    "database class": (FakeAccount(sold=False), "does not offer db.t3.micro with postgres 15.15"),
    "ECS settings": (FakeAccount(long=False), "short ARNs"),
    "role ec2": (FakeAccount(denied={"ec2:CreateVpc": {}}), "ec2:CreateVpc for AWS::EC2::VPC: no policy"),
    "role iam": (FakeAccount(denied={"iam:PassRole": {"organization": False}}), "a service control policy"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_what_will_be_refused_is_told_first_with_its_remedy(name: str) -> None:
    account, says = REFUSALS[name]

    found = look(account)

    assert set(refused(found)) == {name}
    assert says in found[0].detail
    assert found[0].remedy


def test_everything_is_told_at_once() -> None:
    many = FakeAccount(usage={"vpcs": 5}, sold=False, long=False, denied={"rds:CreateDBInstance": {}})

    assert refused(look(many)) == ["database class", "quota VPCs per region", "ECS settings", "role rds"]


def test_a_service_role_that_nobody_may_make_is_refused_and_one_that_is_there_is_not_asked_about() -> None:
    denied: dict[str, dict[str, Any]] = {"iam:CreateServiceLinkedRole": {}}
    found = look(FakeAccount(linked=False, denied=denied))

    assert "service role ecs" in refused(found)
    create = "`aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com`"
    assert the(found, "service role ecs").remedy == f"once, with a role that may: {create}"
    assert refused(look(FakeAccount(denied=denied))) == []
    assert the(look(FakeAccount(linked=False)), "service role ecs").outcome == "ok"


def test_where_nothing_may_be_simulated_it_is_not_known_once() -> None:
    denied = NotAllowed("iam SimulatePrincipalPolicy: no: grant the permission iam:SimulatePrincipalPolicy")
    found = look(FakeAccount(raises={"simulate": denied}, linked=False))

    (unknown,) = [one for one in found if one.outcome == "unknown"]
    assert (unknown.name, unknown.remedy) == ("role", "grant the permission iam:SimulatePrincipalPolicy")
    assert the(found, "service role rds").outcome == "warning"
    assert refused(found) == []


@pytest.mark.parametrize(
    ("account", "says"),
    [
        (FakeAccount(Identity(ACCOUNT, f"arn:aws:sts::{ACCOUNT}:federated-user/me")), "me cannot be"),
        (FakeAccount(Identity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")), "root cannot be simulated"),
        (FakeAccount(roles={}), "there is no role Deployer in this account"),
    ],
)  # fmt: skip
def test_who_cannot_be_simulated_is_a_warning(account: FakeAccount, says: str) -> None:
    found = look(account)

    assert says in the(found, "role").detail
    assert the(found, "role").outcome == "warning"
    assert refused(found) == []
    assert "simulate" not in account.asked


def test_a_role_that_cannot_be_looked_up_is_not_known() -> None:
    denied = NotAllowed("iam GetRole: no: grant the permission iam:GetRole")

    assert the(look(FakeAccount(raises={"role_arn": denied})), "role").outcome == "unknown"


def test_a_user_is_simulated_as_it_is() -> None:
    user = FakeAccount(
        Identity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/team/me"), denied={"ec2:CreateVpc": {}}
    )

    assert refused(look(user)) == ["role ec2"]


def test_who_plans_in_a_pipeline_looks_at_the_role_that_deploys() -> None:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/gatestack-plan-us-east-1/job"
    deploys = f"arn:aws:iam::{ACCOUNT}:role/gatestack-deploy-us-east-1"
    account = FakeAccount(Identity(ACCOUNT, arn), roles={"gatestack-deploy-us-east-1": deploys})

    assert the(look(account), "role").outcome == "ok"


def test_another_account_or_a_region_that_is_off_is_all_that_is_told() -> None:
    elsewhere = FakeAccount(Identity("999999999999", SESSION))
    found = look(elsewhere, replace(rendered(), account=ACCOUNT))
    assert [(one.name, one.outcome) for one in found] == [("login", "refused")]
    assert f"dev is for account {ACCOUNT}" in found[0].detail
    assert elsewhere.asked == ["identity"]

    off = FakeAccount(region="not-opted-in")
    found = look(off)
    assert [(one.name, one.outcome) for one in found] == [("region", "refused"), ("login", "ok")]
    assert "aws account enable-region --region-name us-east-1" in found[0].remedy
    assert look(FakeAccount(region=None))[0].detail == "AWS has no region us-east-1"


def test_what_deploy_refuses_of_names_keys_and_images_is_told_here() -> None:
    there = cloud()
    there.holders = (
        Holder("AWS::ECR::Repository", "dev-litellm", {}),
        Holder("AWS::Logs::LogGroup", "/ecs/dev-litellm-proxy", OURS),
    )  # fmt: skip
    there.images = set()
    found = look(FakeAccount(), there=there)

    names = [one for one in found if one.name == "name"]
    assert [one.outcome for one in names] == ["refused", "ok"]
    assert names[0].remedy == "`aws ecr delete-repository --repository-name dev-litellm`"
    image = the(found, "service parameters")
    assert (image.outcome, image.detail) == (
        "warning", "the image dev-litellm:v1.108.7 is not in ECR yet, so no task is started"
    )  # fmt: skip
    assert image.remedy.startswith("`gatestack image dev --push --tag v1.108.7`")


def test_a_missing_image_under_running_tasks_and_a_disabled_key_are_refused() -> None:
    there = cloud()
    there.images = set()
    for spec in rendered().stacks:
        there.has(spec.stack_name, "CREATE_COMPLETE", spec.template, parameters={"DesiredCount": "1"})
    there.keys["alias/dev-litellm"] = Key("k-1", "Disabled")
    found = look(FakeAccount(), there=there)

    assert refused(found) == ["encryption key", "service parameters"]
    assert found[0].remedy == "`aws kms enable-key --key-id k-1`"
    assert "push it first" in found[1].remedy


def test_templates_that_do_not_fit_the_region_are_refused() -> None:
    alone = replace(rendered(), stacks=tuple(one for one in rendered().stacks if one.name == "service"))

    found = the(look(FakeAccount(), alone), "templates")
    assert found.outcome == "refused"
    assert "which no stack exports" in found.detail
    assert found.remedy


RESTORED = '"DBSnapshotIdentifier": "before", "DBInstanceClass"'


def test_a_snapshot_that_is_not_there_is_refused() -> None:
    restored = [
        replace(one, template=one.template.replace('"DBInstanceClass"', RESTORED))
        for one in rendered().stacks
    ]  # fmt: skip
    manifest = replace(rendered(), stacks=tuple(restored))

    found = look(FakeAccount(), manifest)
    assert refused(found) == ["snapshot"]
    assert "`aws rds describe-db-snapshots` lists them" in found[0].remedy
    assert refused(look(FakeAccount(snapshots=frozenset({"before"})), manifest)) == []


def test_what_cannot_be_asked_stops_nothing_else() -> None:
    raises = {
        "limit": NotAllowed("GetServiceQuota: no: grant the permission servicequotas:GetServiceQuota"),
        "orderable": CloudError("rds: broken"),
        "database_limits": NotOffered("this endpoint has no rds"),
    }  # fmt: skip
    found = look(FakeAccount(raises=raises, usage={"vpcs": 5}))

    told = [(one.name, one.outcome) for one in found if one.outcome != "ok"]
    assert told == [
        ("parameters", "unknown"),
        ("quota VPCs per region", "unknown"),
        ("quota databases", "skipped"),
    ]


@pytest.mark.parametrize(("minutes", "outcome"), [(5, "warning"), (59, "ok"), (None, None)])
def test_a_session_that_ends_before_the_deployment_is_a_warning(
    minutes: int | None, outcome: str | None
) -> None:
    now = datetime.now(UTC)
    who = Identity(ACCOUNT, SESSION, now + timedelta(minutes=minutes) if minutes else None)

    found = [one for one in look(FakeAccount(who)) if one.name == "session"]

    assert [one.outcome for one in found] == ([outcome] if outcome else [])


def test_a_deployment_takes_as_long_as_its_longest_chain_of_imports() -> None:
    manifest = rendered()
    order, found = graph(manifest.stacks), wanted(manifest, ())
    each = {
        name: login.expected_seconds(order, [one for one in found if one.spec.name == name])
        for name in order.names
    }

    assert max(each.values()) < login.expected_seconds(order, found) < sum(each.values())
    assert login.expected_seconds(order, ()) == 0
