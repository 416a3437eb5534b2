"""One plan, every format the same facts: what changes, is at risk, is interrupted, and what to allow."""

from __future__ import annotations

import html as entities
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml
from jsonschema import Draft202012Validator

from deployer import report
from deployer.aws.account import Aws, connect
from deployer.changes.preview import plan
from deployer.deploy import deploy
from deployer.errors import Transient
from deployer.facts import document, texts
from deployer.facts.summary import facts
from deployer.options import Host, Options
from deployer.pages.html import plan_html
from deployer.pages.plan_page import Made, plan_page
from deployer.plan import Plan
from gatestack.costing import with_cost
from generator.manifest import Manifest, Patched, StackSpec
from generator.render import render
from sandbox.clock import RealClock
from sandbox.server import Sandbox
from sandbox.services.services import Services
from stacks.environment import parse_settings
from tests.command import KEY, LOGIN
from tests.conftest import FAST
from tests.covering import only

Found = TypeVar("Found")
MODELS = [{"model_name": "gpt", "litellm_params": {"model": "azure/gpt"}}]
BASE = {
    "system": "litellm",
    "environment": "dev",
    "region": "us-east-1",
    "service": {
        "image": "ghcr.io/berriai/litellm-database",
        "environment": {"TEAM_NAME": "red"},
        "config": {"model_list": MODELS},
    },
    "alb": {"waf": True},
    "observability": {"alarms": {"latency_milliseconds": 500}},
}
OWN = {
    "Resources": {
        "Token": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "hunter2-before"}},
        "Jobs": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain", "Properties": {"QueueName": "jobs"}},
        "Alerts": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "one"}},
    },
    "Outputs": {"Topic": {"Value": "one"}},
}
ROLLING = "new tasks roll, no interruption"
COUNT = "(not set: ECS keeps the number of tasks)"
NO_INTERRUPTION = "Interruption: none"


@dataclass(frozen=True)
class Case:
    """A change, and what each format has to say of it."""

    file: Mapping[str, Any] = field(default_factory=dict)
    """Laid over the environment's file."""
    own: Mapping[str, Any] = field(default_factory=dict)
    """Laid over the team's own stack."""
    patch: tuple[str, str, Mapping[str, Any]] | None = None
    """Stack, logical id and properties laid over the rendered template."""
    says: tuple[str, ...] = ()
    """Texts that stand in every format."""
    risk: str = ""
    """What is at risk; empty: nothing."""
    interruption: str = NO_INTERRUPTION
    removed: str = ""
    """A stack that is no longer in the environment."""
    consent: str = ""


DATABASE = "gatestack deploy dev --allow-replace Database"
CASES: Mapping[str, Case] = {
    "replaced database": Case(
        patch=("database", "Database", {"DBInstanceIdentifier": "dev-litellm-other"}),
        says=("dev-litellm-db", "dev-litellm-other", "replaced"),
        risk="Database",
        interruption="a new database takes its place: downtime until it is there",
        consent=DATABASE,
    ),
    "instance class": Case(
        {"database": {"instance_class": "db.t3.small"}},
        says=("DBInstanceClass", "db.t3.micro", "db.t3.small"),
        interruption="restarts the database: minutes of downtime",
    ),
    "storage": Case({"database": {"storage_gb": 50}}, says=("AllocatedStorage", "20", "50")),
    "load balancer attribute": Case(
        {"alb": {"idle_timeout_seconds": 700}},
        says=("LoadBalancerAttributes[idle_timeout.timeout_seconds]", "600", "700"),
        interruption=ROLLING,
    ),
    "new variable": Case(
        {"service": {"environment": {"TEAM_NAME": "blue", "REGION_HINT": "eu"}}},
        says=("[litellm-proxy].Environment[TEAM_NAME]", "red", "blue", "Environment[REGION_HINT]", "eu"),
        interruption=ROLLING,
    ),
    "new model": Case(
        {
            "service": {
                "config": {
                    "model_list": [
                        *MODELS,
                        {"model_name": "next", "litellm_params": {"model": "openai/gpt-5"}},
                    ]
                }
            }
        },
        says=(
            "model_name: next",
            "litellm-config.yaml",
            "LITELLM_CONFIG_BUCKET_OBJECT_KEY",
            "litellm/config-",
        ),
        interruption=ROLLING,
    ),
    "wider policy": Case(
        {
            "service": {
                "task_policy": [
                    {"sid": "ReadPrompts", "actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::team/*"]}
                ]
            }
        },
        says=("ReadPrompts: Allow s3:GetObject on arn:aws:s3:::team/*", "new"),
    ),
    "new security-group rule": Case(
        {"alb": {"allowed_cidrs": ["0.0.0.0/0", "10.9.0.0/16"], "test_port": 8443, "waf": True}},
        patch=(
            "network",
            "EcsSecurityGroup",
            {
                "SecurityGroupIngress": [
                    {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "10.9.0.0/16"}
                ]
            },
        ),
        says=("tcp 22 from 10.9.0.0/16", "EcsSecurityGroup"),
        interruption="connections that no rule allows any more end",
    ),
    "removed stack": Case(
        removed="own",
        says=("Jobs", "removed"),
        risk="Token",
        interruption="what uses it fails from then on",
        consent="gatestack deploy dev --allow-replace Jobs --allow-replace Token",
    ),
    "image": Case(
        {"service": {"image_tag": "v1.108.6"}},
        says=("ContainerDefinitions[litellm-proxy].Image", "v1.108.7", "v1.108.6"),
        interruption=ROLLING,
    ),
    "processor": Case({"service": {"cpu": 1024}}, says=("Cpu", "512", "1024", COUNT), interruption=ROLLING),
    "rotation": Case(
        {"secrets": {"rotation_days": 60}}, says=("RotationRules.AutomaticallyAfterDays", "30", "60")
    ),
    "retained resource": Case(
        own={"Jobs": None},
        says=("Jobs", "removed"),
        risk="it stays in the account, and no stack manages it",
        consent="gatestack deploy dev --allow-replace Jobs",
    ),
    "own stack": Case(own={"Alerts": {"DisplayName": "two"}}, says=("DisplayName", "one", "two")),
    "tag": Case({"tags": {"Team": "ml"}}, says=("Tags[Team]", "ml")),
    "output": Case(own={"Output": "two"}, says=("utputs or tags only",)),
    "secret text": Case(
        own={"Token": {"SecretString": "hunter2-after"}}, says=("SecretString", "hidden, another value")
    ),
    "alarm threshold": Case(
        {"observability": {"alarms": {"latency_milliseconds": 900}}}, says=("Threshold", "0.5", "0.9")
    ),
    "firewall rule": Case({"alb": {"waf_rate_limit": 3000}}, says=("Limit", "2000", "3000")),
    "patched resource": Case(
        patch=("alb", "LoadBalancer", {"Tags": [{"Key": "Patched", "Value": "yes"}]}),
        says=("patched by environments/dev.yaml:9: the team's own",),
    ),
}


def laid(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return *base* with *over* laid over it, mapping by mapping."""
    made = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(made.get(key), Mapping)
        made[key] = laid(made[key], value) if both else value
    return made


def manifest(case: Case) -> Manifest:
    """Return the environment that *case* makes."""
    made = rendered(yaml.safe_dump(laid(BASE, case.file)))
    stacks = tuple(_patched(one, case) for one in made.stacks)
    own = StackSpec("own", "dev-litellm-own", json.dumps(_own(case)), tags=stacks[0].tags | {"Stack": "own"})
    return replace(made, stacks=stacks if case.removed else (*stacks, own))


@cache
def rendered(text: str) -> Manifest:
    return render(parse_settings(text, Path("environments/dev.yaml")))


def _own(case: Case) -> dict[str, Any]:
    template: dict[str, Any] = deepcopy(OWN)
    for name, properties in case.own.items():
        if name == "Output":
            template["Outputs"]["Topic"]["Value"] = properties
        elif properties is None:
            del template["Resources"][name]
        else:
            template["Resources"][name]["Properties"] |= properties
    return template


def _patched(one: StackSpec, case: Case) -> StackSpec:
    if case.patch is None or case.patch[0] != one.name:
        return one
    template = json.loads(one.template)
    template["Resources"][case.patch[1]]["Properties"] |= case.patch[2]
    mark = Patched(case.patch[1], "environments/dev.yaml:9", "the team's own")
    return replace(one, template=json.dumps(template), patched=(mark,))


@dataclass(frozen=True)
class Deployed:
    """The environment as it was deployed, and plans of what it could become."""

    aws: Aws
    hosts: Iterator[int] = field(default_factory=count)

    def host(self) -> Host:
        return Host(lambda _: None, time.monotonic, time.sleep, f"r{next(self.hosts)}", workers=4)

    def plan(self, wanted: Manifest) -> Plan:
        found = self.again(lambda here: plan(wanted, self.aws, Options(poll_interval=0.02, env="dev"), here))
        return with_cost(found, wanted, self.aws)

    def again(self, ask: Callable[[Host], Found]) -> Found:
        """Ask once more where the sandbox, in this very process, had no time to answer."""
        for _ in range(3):
            with suppress(Transient):
                return ask(self.host())
        return ask(self.host())


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    Services().reset()
    with pytest.MonkeyPatch.context() as patch, Sandbox(clock=RealClock(FAST), key=KEY) as box:
        for name, value in LOGIN.items():
            patch.setenv(name, value)
        made = Deployed(connect("us-east-1", endpoint=box.endpoint))
        wanted, options = manifest(Case()), Options(poll_interval=0.02)
        result = made.again(lambda here: deploy(wanted, made.aws, options, here))
        assert result.exit_code == 0, report.result_text(result)
        yield made


def formats(found: Plan) -> dict[str, str]:
    """Return *found* in each format, as a reader sees it: escapes of Markdown and HTML undone."""
    moment = datetime(2026, 11, 28, tzinfo=UTC)
    page = plan_html(plan_page(found, Made("us-east-1", moment))).partition("<main")[2]
    document_ = json.loads(report.plan_json(found))
    Draft202012Validator(json.loads(document.schema())).validate(document_)
    return {
        "text": report.plan_text(found),
        "json": _words(document_),
        "markdown": entities.unescape(re.sub(r"\\([\\`*\[\]|~])", r"\1", report.plan_markdown(found))),
        "html": entities.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))),
    }


def _words(value: Any) -> str:
    """Return every text of a JSON document."""
    if isinstance(value, dict):
        return "\n".join(f"{key}: {_words(each)}" for key, each in value.items())
    return "\n".join(map(_words, value)) if isinstance(value, list) else str(value)


ALIKE = {"firewall rule", "alarm threshold", "rotation", "image", "storage", "processor", "own stack"}
"""Values that change as those of other cases do, with the same risk, interruption and consent."""


@pytest.mark.parametrize("name", only(CASES.keys() - ALIKE, CASES))
def test_each_format_states_risk_interruption_what_differs_and_the_consent(
    deployed: Deployed, name: str
) -> None:
    case = CASES[name]

    found = deployed.plan(manifest(case))

    assert found.changes_anything
    for style, said in formats(found).items():
        for words in (*case.says, case.risk, case.consent):
            assert words in said or words in said.replace("\n", " "), (style, words, said)
        if case.interruption != NO_INTERRUPTION:
            assert case.interruption in said, (style, said)
        elif style == "json":
            assert "interruptions: \n" in said, said
        else:
            assert NO_INTERRUPTION.lower() in said.lower().replace("**", ""), (style, said)
        assert "hunter2" not in said, style
        assert "- DesiredCount" not in said, "no task ends: scaling owns the count after a first deployment"
        assert "$" in said or style == "json"
    question = texts.question(facts(found))
    assert (case.risk in question, "cost: $" in question) == (True, True)
