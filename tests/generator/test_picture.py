"""The picture of an environment: everything is in it, at its place, and nothing in anything's way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from generator.manifest import Manifest
from generator.picture.drawing import SIZES, Rect
from generator.picture.lettering import fitted, width, wrapped
from generator.picture.survey import survey
from generator.picture.svg import picture, svg
from generator.render import render
from generator.traffic import traffic
from stacks.environment import load, parse_settings
from stacks.settings import Settings
from tests.command import User
from tests.covering import searched
from tests.generator.drawings import drawing, faults, flaws, moved, words
from tests.places import ROOT
from tests.rewrite_golden import PICTURED, PICTURES, drawn, environment_files
from tests.stacks.environment_values import SECRET
from tests.stacks.environments import environments

SVG = "{http://www.w3.org/2000/svg}"
EXISTING = {
    "vpc_id": "vpc-0123456789abcdef0",
    "public_subnet_ids": ["subnet-00000000000000001", "subnet-00000000000000002"],
    "private_subnet_ids": ["subnet-00000000000000011", "subnet-00000000000000012"],
}
BEDROCK = {"providers": ["bedrock"], "bedrock_models": ["anthropic.claude-3-haiku-20240307-v1:0"]}
DOMAIN = {"domain_name": "llm.example.com", "hosted_zone_id": "Z0123456789ABCDEFGHIJ"}
OPTIONS: dict[str, dict[str, Any]] = {
    "an existing VPC": {"network": {"existing_vpc": EXISTING}, "alb": DOMAIN | {"waf": True}},
    "no way out": {"network": {"nat_gateways": 0, "data_subnets": True}, "service": BEDROCK},
    "inside alone": {
        "alb": {"internal": True},
        "network": {"data_subnets": True, "flow_logs": True},
        "cache": {"enabled": True, "nodes": 3},
    },
    "an existing VPC, inside alone, no way out": {
        "network": {"existing_vpc": EXISTING, "nat_gateways": 0},
        "alb": {"internal": True},
        "service": BEDROCK,
    },
    "a test listener, many clients": {
        "service": {"deployment_strategy": "canary"},
        "alb": DOMAIN
        | {"test_cidrs": ["192.0.2.0/24"], "allowed_cidrs": [f"198.51.{net}.0/24" for net in range(12)]},
    },
    "servers and secrets that are there": {
        "database": {
            "existing": {"host": "db.acme.org", "name": "litellm", "secret_arn": SECRET.format("database")}
        },
        "cache": {"existing": {"host": "redis.acme.org", "secret_arn": SECRET.format("redis")}},
        "service": {"secrets_from": {"DATADOG_API_KEY": SECRET.format("datadog")}},
    },
    "people sign in, prompts are kept, the firewall keeps its log": {
        "alb": DOMAIN
        | {
            "waf": True,
            "waf_logs": True,
            "waf_exempt_cidrs": ["192.0.2.0/24"],
            "admin_cidrs": ["192.0.2.0/24"],
        },
        "sso": {
            "provider": "google",
            "client_id": "a.apps.googleusercontent.com",
            "allowed_email_domains": ["acme.org"],
        },
        "observability": {"prompt_logs": {"keep_days": 30}},
    },
    "everything twice": {
        "environment": "a-very-long-name",
        "network": {"nat_gateways": 2, "endpoint_zones": 2},
        "database": {"engine": "aurora-postgresql", "engine_version": "16", "reader_instances": 2},
        "cache": {"enabled": True},
    },
}


def of(options: dict[str, Any]) -> Manifest:
    file = {"system": "litellm", "environment": "dev"} | options
    return render(parse_settings(yaml.safe_dump(file), Path("dev.yaml")))


def shipped(name: str) -> Manifest:
    return render(load(ROOT / "environments" / f"{name}.yaml"))


# --- nothing is missing, nothing is in the way --------------------------------------------------------


@pytest.mark.parametrize("path", environment_files(), ids=lambda path: path.stem)
def test_a_shipped_environment_is_drawn_without_a_fault(path: Path) -> None:
    assert faults(render(load(path))) == []


@pytest.mark.parametrize("name", OPTIONS)
def test_an_environment_with_other_options_is_drawn_without_a_fault(name: str) -> None:
    assert faults(of(OPTIONS[name])) == []


@searched(10, 2000, environments())
def test_any_environment_is_drawn_without_a_fault(settings: Settings) -> None:
    assert faults(render(settings)) == []


@pytest.mark.parametrize(
    ("key", "right", "said"),
    [
        (
            "network/LambdaSecurityGroup",
            -80,
            "network/EcsSecurityGroup (group) and network/LambdaSecurityGroup",
        ),
        ("network/RdsSecurityGroup", 700, "network/RdsSecurityGroup is off the page"),
        ("alb/LoadBalancer", 150, "network/AlbSecurityGroup (group) and alb/LoadBalancer (card) overlap"),
        ("network/LambdaSecurityGroup", -60, "goes through network/LambdaSecurityGroup"),
        ("alb/LoadBalancer", 150, "'Load balancer' does not fit into alb/LoadBalancer"),
    ],
)
def test_a_box_at_the_wrong_place_is_noticed(key: str, right: float, said: str) -> None:
    """The checks of this file can fail."""
    manifest = shipped("prod")

    found = flaws(moved(drawing(manifest), key, right), manifest)

    assert [one for one in found if said in one] != []


def test_a_rule_that_is_not_drawn_is_noticed() -> None:
    manifest = shipped("prod")
    whole = drawing(manifest)
    without = replace(whole, arrows=tuple(one for one in whole.arrows if "5432" not in one.told))

    assert [one for one in flaws(without, manifest) if "no text has the port" in one] != []


# --- what is in it -----------------------------------------------------------------------------------


def told(manifest: Manifest) -> str:
    return "\n".join([arrow.told for arrow in drawing(manifest).arrows])


def test_the_arrows_are_what_the_groups_let_pass_with_its_port() -> None:
    said = told(shipped("llm-proxy-production"))

    for flow in (
        "AlbSecurityGroup to EcsSecurityGroup: TCP 8080",
        "EcsSecurityGroup to RdsSecurityGroup: TCP 5432",
        "EcsSecurityGroup to RedisSecurityGroup: TCP 6379",
        "LambdaSecurityGroup to RdsSecurityGroup: TCP 5432",
        "Clients to the load balancer: TCP 80, TCP 443",
        "Out of the VPC: EcsSecurityGroup TCP 443, LambdaSecurityGroup TCP 443",
    ):
        assert flow in said


def test_a_thing_belongs_to_the_stack_that_makes_it() -> None:
    chips = {box.key: [chip.stack for chip in box.chips] for box in drawing(shipped("prod")).boxes}

    assert chips["alb/LoadBalancer"] == ["alb"]
    assert chips["service/Service"] == ["service"]
    assert chips["database/MigrationTask"] == ["database"]
    assert chips["network/RdsSecurityGroup"] == ["network"]
    assert chips["service Secrets Manager"] == ["security", "database"]


def test_services_are_told_apart_by_the_way_to_them() -> None:
    ways = {one.title: (one.way, one.callers) for one in survey(shipped("prod")).services}

    assert ways["Secrets Manager"] == ("endpoint", ("tasks", "functions"))
    assert ways["S3"] == ("endpoint", ("tasks",))
    assert ways["Parameter Store"] == ("gateway", ("tasks",))
    assert ways["ECS"] == ("gateway", ("functions",))
    assert ways["KMS"] == ("beside", ())


def test_without_a_way_out_everything_that_is_called_has_an_endpoint() -> None:
    landscape = survey(of(OPTIONS["no way out"]))

    assert {one.way for one in landscape.services if one.callers} == {"endpoint"}
    assert landscape.internet == ()
    assert "Internet" not in words(drawing(of(OPTIONS["no way out"])))


def test_who_is_called_on_the_internet_is_known_by_the_keys_that_people_put_in() -> None:
    assert survey(shipped("prod")).internet == ("called with OPENAI_API_KEY, ANTHROPIC_API_KEY",)
    assert survey(shipped("llm-proxy-medium")).internet == ("images of ghcr.io",)
    assert survey(shipped("llm-testing")).internet == ()


def test_the_models_that_tasks_may_call_are_named() -> None:
    (bedrock,) = [one for one in survey(shipped("llm-testing")).services if one.title == "Bedrock"]

    assert bedrock.held == "us.anthropic.claude-haiku-4-5-20251001-v1:0"


def test_a_thing_that_is_in_one_zone_is_drawn_in_one() -> None:
    places = {box.key: box.place for box in drawing(shipped("dev")).boxes}
    lanes = [box.place for box in drawing(shipped("dev")).boxes if box.key == "network/PrivateSubnet2"]

    assert not any(lane.meets(places["network/EndpointSecurityGroup"]) for lane in lanes)
    assert lanes[0].meets(places["network/EcsSecurityGroup"])


def test_four_stacks_without_a_database_are_drawn_without_one() -> None:
    drawn_ = drawing(shipped("llm-testing"))

    assert {chip.stack for chip in drawn_.chips} == {"security", "network", "alb", "service"}
    assert not any("PostgreSQL" in text for text in words(drawn_))


def lonely() -> Manifest:
    """`prod`, whose database lets nobody in any more, while tasks and functions are still let out to it."""
    manifest = shipped("prod")
    stacks = []
    for stack in manifest.stacks:
        template = json.loads(stack.template)
        for name in "EcsToRdsIngress", "LambdaToRdsIngress":
            template["Resources"].pop(name, None)
        stacks.append(replace(stack, template=json.dumps(template)))
    return replace(manifest, stacks=tuple(stacks))


def test_a_rule_that_is_no_arrow_stands_in_words_in_its_group() -> None:
    manifest = lonely()
    (ecs,) = [box for box in drawing(manifest).boxes if box.key == "network/EcsSecurityGroup"]

    assert "RdsSecurityGroup: TCP 5432" not in told(manifest)
    assert "out TCP 5432 to RdsSecurityGroup" in " ".join(label.text for label in ecs.labels)
    assert faults(manifest) == []


def test_a_group_that_nothing_wears_says_so() -> None:
    (unworn,) = [
        box for box in drawing(shipped("llm-testing")).boxes if box.key == "network/EndpointSecurityGroup"
    ]

    assert "nothing wears it" in [label.text for label in unworn.labels]


def test_the_description_has_every_rule_for_those_who_do_not_see_it() -> None:
    said = drawing(shipped("prod")).description

    assert "RdsSecurityGroup from EcsSecurityGroup: TCP 5432" in said
    assert "AlbSecurityGroup from 0.0.0.0/0: TCP 443" in said
    assert "PostgreSQL 15.15 (database/Database)" in said


# --- the file ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PICTURED)
def test_the_documentations_pictures_are_what_the_templates_give(name: str) -> None:
    there = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")

    assert there == drawn(ROOT / "environments" / f"{name}.yaml"), "an intended change? `make golden`"


def test_the_documentation_has_no_other_pictures() -> None:
    assert {path.stem for path in PICTURES.glob("*.svg")} == set(PICTURED)


def test_the_command_prints_the_picture(user: User) -> None:
    assert user.run("graph", "prod", "--format", "svg").out == drawn(ROOT / "environments" / "prod.yaml")


def test_two_processes_draw_the_same_bytes() -> None:
    outputs = [
        subprocess.run(
            [sys.executable, "-m", "gatestack", "graph", "llm-proxy-production", "--format", "svg"],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in "12"
    ]

    assert outputs[0] == outputs[1]
    assert outputs[0].isascii()


@pytest.mark.parametrize("path", environment_files(), ids=lambda path: path.stem)
def test_the_file_is_an_image_with_a_title_that_asks_for_nothing(path: Path) -> None:
    text = picture(render(load(path)))
    root = ElementTree.fromstring(text)  # noqa: S314 - our own

    assert root.attrib["role"] == "img"
    names = [root.attrib["aria-labelledby"], root.attrib["aria-describedby"]]
    assert [one.attrib["id"] for one in root if one.tag in {f"{SVG}title", f"{SVG}desc"}] == names
    assert all(one.text for one in root.iter(f"{SVG}title"))
    assert {one.tag for one in root.iter()} & {f"{SVG}script", f"{SVG}image", f"{SVG}foreignObject"} == set()
    assert [word for word in ("http", "@import", "@font-face", "url(") if word in _without_own(text)] == []


def _without_own(text: str) -> str:
    return text.replace('xmlns="http://www.w3.org/2000/svg"', "").replace("url(#", "")


def test_every_part_has_a_title() -> None:
    root = ElementTree.fromstring(picture(shipped("prod")))  # noqa: S314 - our own
    parts = list(root.iter(f"{SVG}g"))

    assert len(parts) > 60
    assert [part for part in parts if part[0].tag != f"{SVG}title"] == []


def test_no_text_can_end_an_element() -> None:
    whole = drawing(shipped("prod"))
    nasty = '</text><script>alert(1)</script>]]>&"\x27\U0001f600'
    boxes = (replace(whole.boxes[0], told=nasty, key=nasty), *whole.boxes[1:])

    root = ElementTree.fromstring(svg(replace(whole, boxes=boxes, title=nasty)))  # noqa: S314 - our own

    assert list(root.iter(f"{SVG}script")) == []
    assert [one.text for one in root.iter(f"{SVG}title")].count(nasty) == 2


# --- text that fits ----------------------------------------------------------------------------------


@pytest.mark.parametrize("room", [10, 40, 90, 200])
def test_what_is_too_wide_is_shortened_in_the_middle(room: float) -> None:
    text = "subnet-0123456789abcdef0"
    short = fitted(text, room, 11.5)

    assert width(short, 11.5) <= max(room, width("…", 11.5))
    assert short in {text, "…"} or (text.startswith(short.partition("…")[0]) and text.endswith(short[-1]))


def test_lines_are_broken_at_spaces_and_nothing_is_lost() -> None:
    text = "replica in the other zone, and a word"

    lines = wrapped(text, 90, 11.5)

    assert len(lines) > 1
    assert " ".join(lines) == text
    assert all(width(line, 11.5) <= 90 for line in lines)


def test_rooms_that_only_touch_do_not_meet() -> None:
    assert not Rect(0, 0, 10, 10).meets(Rect(10, 0, 10, 10))
    assert Rect(0, 0, 10, 10).meets(Rect(9, 9, 10, 10))
    assert Rect(0, 0, 10, 10).holds(Rect(0, 0, 10, 10))
    assert not Rect(0, 0, 10, 10).holds(Rect(1, 1, 10, 5))


def test_every_environment_is_legible_at_its_own_width() -> None:
    assert min(SIZES.values()) >= 10
    assert {drawing(render(load(path))).width for path in environment_files()} == {1200}


def test_every_group_of_a_shipped_environment_has_a_place_of_its_own() -> None:
    for path in environment_files():
        manifest = render(load(path))
        keys = [box.key for box in drawing(manifest).boxes if box.style == "group" and box.key != "legend"]
        assert sorted(keys) == sorted(group.key for group in traffic(manifest).groups)
