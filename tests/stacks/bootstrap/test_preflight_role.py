"""`preflight` and IAM: what is asked for each resource type, who is asked about, what an answer means."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import pytest

from deployer.preflight.account import Decision, Identity
from deployer.preflight.account import Request as Asked
from deployer.preflight.demand import wanted
from deployer.preflight.permissions import CREATES, PASSED, SERVICE_ROLES
from deployer.preflight.role import Batch, Place, batches, judged, linking, role_name
from generator.manifest import Manifest, StackSpec
from generator.render import render
from sandbox.access.policies import Document, Request, allowed
from sandbox.resources.schema import ProviderSchemas
from stacks.bootstrap import build
from tests.stacks.bootstrap.iam_policies import ACCOUNT, PARTITION, REGION, documents_of
from tests.stacks.bootstrap.iam_worlds import WORLDS, world

PLACE = Place(PARTITION, REGION, ACCOUNT)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/deployer"
MOST_CALLS = 32
"""That all of IAM's answers may take."""


@cache
def rendered(name: str) -> Manifest:
    return render(world(name))


def asked(name: str) -> tuple[Batch, ...]:
    return batches(rendered(name), wanted(rendered(name), ()), PLACE)


def refused(found: tuple[Batch, ...], documents: list[Document]) -> list[str]:
    return [
        str(one) for batch in found for one in batch.requests if not allowed(_request(one, batch), documents)
    ]


def _request(one: Asked, batch: Batch) -> Request:
    several = {key: list(values) if len(values) > 1 else values[0] for key, values in batch.context.items()}
    return Request(one.action, one.resource, several)


def test_every_type_of_the_templates_is_asked_about_and_no_other() -> None:
    types = {
        resource["Type"]
        for name in WORLDS
        for spec in rendered(name).stacks
        for resource in json.loads(spec.template)["Resources"].values()
    }

    assert types == set(CREATES)
    assert set(PASSED) | set(SERVICE_ROLES) <= types


@pytest.mark.parametrize("type_", CREATES)
def test_what_is_asked_is_what_the_handler_of_the_type_says_that_it_needs(type_: str) -> None:
    handlers = ProviderSchemas().schema(type_)["handlers"]
    needs = {one.lower() for one in handlers["create"]["permissions"]}

    for resource, actions in CREATES[type_].items():
        for action in actions.split():
            full = action if ":" in action else f"{resource.partition(':')[0]}:{action}"
            assert full.lower() in needs


@pytest.mark.parametrize("name", WORLDS)
def test_the_role_that_bootstrap_makes_is_refused_nothing(name: str) -> None:
    documents = documents_of(build(world(name)), "DeployRole")
    services = [service for service, _ in SERVICE_ROLES.values()]

    assert refused(asked(name), documents) == []
    assert refused(linking(services, rendered(name), PLACE), documents) == []


def test_the_role_that_plans_is_refused_what_makes_and_allowed_what_reads() -> None:
    plan_role = documents_of(build(world("dev")), "PlanRole")
    actions = {one.split("'")[1] for one in refused(asked("dev"), plan_role)}

    assert {"ec2:CreateVpc", "rds:CreateDBInstance", "iam:PassRole"} <= actions
    assert "cloudformation:DescribeStacks" not in actions


@pytest.mark.parametrize("name", WORLDS)
def test_the_calls_are_bounded_and_each_asks_for_a_page_at_the_most(name: str) -> None:
    found = asked(name)

    assert (
        len(found) + len(linking([one for one, _ in SERVICE_ROLES.values()], rendered(name), PLACE))
        <= MOST_CALLS
    )
    for batch in found:
        actions, resources = {one.action for one in batch.requests}, {one.resource for one in batch.requests}
        assert len(actions) <= 100
        assert len(actions) * len(resources) <= 1000


def test_what_is_there_is_not_asked_about_again() -> None:
    manifest = rendered("dev")
    held = {
        (spec.stack_name, name) for spec in manifest.stacks for name in json.loads(spec.template)["Resources"]
    }

    left = batches(manifest, wanted(manifest, held), PLACE)

    assert {one.why for batch in left for one in batch.requests} == {"gatestack deploy"}


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("arn:aws:sts::111122223333:assumed-role/Deployer/somebody", "Deployer"),
        (
            "arn:aws-cn:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123/me@example.com",
            "AWSReservedSSO_Admin_0123",
        ),
        (f"arn:aws:sts::111122223333:assumed-role/gatestack-plan-{REGION}/job", f"gatestack-deploy-{REGION}"),
        ("arn:aws:sts::111122223333:assumed-role/gatestack-plan-eu-west-1/job", "gatestack-plan-eu-west-1"),
        ("arn:aws:iam::111122223333:user/team/me", None),
        ("arn:aws:iam::111122223333:root", None),
        ("arn:aws:sts::111122223333:federated-user/me", None),
    ],
)
def test_a_session_is_its_role_and_who_plans_in_a_pipeline_does_not_deploy(
    arn: str, name: str | None
) -> None:
    assert role_name(Identity("111122223333", arn), REGION) == name


BATCH = Batch(
    (Asked("ec2:CreateVpc", "*", "AWS::EC2::VPC"), Asked("ec2:CreateSubnet", "*", "AWS::EC2::Subnet")), {}
)


@pytest.mark.parametrize(
    ("decision", "outcome", "says", "remedy"),
    [
        ({}, "refused", "no policy allows it", f"allow it to {ROLE}"),
        ({"explicit": True, "policies": ("Never",)}, "refused", "a policy denies it (Never)", "statement"),
        ({"boundary": False}, "refused", "the permissions boundary leaves it out", "boundary of"),
        ({"organization": False, "explicit": True}, "refused", "service control policy", "organization"),
        ({"missing": ("ec2:Vpc",)}, "warning", "depends on ec2:Vpc", "conditions of the policies"),
    ],
)  # fmt: skip
def test_who_refuses_is_told_apart(decision: dict[str, object], outcome: str, says: str, remedy: str) -> None:
    denied = Decision("ec2:CreateVpc", "*", allowed=False, **decision)  # type: ignore[arg-type]
    (found,) = judged(ROLE, BATCH, [denied, Decision("ec2:CreateSubnet", "*", allowed=True)])

    assert (found.name, found.outcome) == ("role ec2", outcome)
    assert found.detail.startswith("ec2:CreateVpc for AWS::EC2::VPC: ")
    assert says in found.detail
    assert remedy in found.remedy


def test_what_one_power_refuses_is_one_line_that_does_not_grow_without_end() -> None:
    many = tuple(Asked(f"ec2:Create{letter}", "*", "AWS::EC2::VPC") for letter in "ABCDEFGH")
    (found,) = judged(ROLE, Batch(many, {}), [Decision(one.action, "*", allowed=False) for one in many])

    assert "ec2:CreateF and 2 more for AWS::EC2::VPC" in found.detail


def test_a_type_that_gatestack_makes_nowhere_is_asked_for_on_everything_and_a_no_is_a_warning() -> None:
    template = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}, "My": {"Type": "Custom::My"}}})
    name = next(iter(WORLDS))
    own = StackSpec("extras", "dev-litellm-extras", template)
    manifest = replace(rendered(name), stacks=(own,))
    found = [one for one in batches(manifest, wanted(manifest, ()), PLACE) if not one.certain]
    assert [one.requests[0].action.partition(":")[0] for one in found] == ["lambda", "sns", "sqs"]
    queue = next(one for one in found if one.requests[0].action.startswith("sqs:"))
    assert {one.resource for one in queue.requests} == {"*"}
    assert "sqs:CreateQueue" in {one.action for one in queue.requests}
    no = [Decision(one.action, one.resource, allowed=False) for one in queue.requests]
    (check,) = judged(ROLE, queue, no)
    assert (check.outcome, check.detail.endswith("for AWS::SQS::Queue: no policy allows it")) == (
        "warning",
        True,
    )
