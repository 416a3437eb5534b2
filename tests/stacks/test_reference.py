"""docs/environment.md: every key, in the words of its refusal, with the stacks that another value changes."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from stacks import reference
from stacks.bases import EXTENDS
from stacks.checking.advice import advice
from stacks.environment import parse_settings
from stacks.reference import Key, keys, takes
from stacks.reference_words import CHANGES, EXAMPLE, MEANINGS
from tests.stacks import key_changes
from tests.stacks.environment_values import leaves

page = cache(reference.text)
KEYS = {key.name: key for key in keys()}
PLAIN = {"true or false", "a whole number", "a number", "text"}


def test_the_page_is_what_the_settings_make_of_it() -> None:
    assert reference.FILE.read_text(encoding="utf-8") == page(), "run: make schema"


def test_the_page_has_a_row_for_every_key() -> None:
    rows = re.findall(r"(?m)^\| `([a-z_.0-9\[\]]+)` \|", page())

    found = list(dict.fromkeys(name.partition("[]")[0] for name in KEYS))
    assert found == [*(name for name, _ in leaves()), EXTENDS]
    assert len(rows) == len(KEYS)


def test_a_key_is_explained_once() -> None:
    twice = {name for name, key in KEYS.items() if key.info.description and name in MEANINGS}
    unknown = {name.removesuffix(" default") for name in MEANINGS} - KEYS.keys()

    assert (twice, unknown) == (set(), set())


def test_the_example_is_a_file_without_any_problem() -> None:
    settings = parse_settings(EXAMPLE, Path("example.yaml"))

    assert settings.prefix == "staging-litellm"
    assert [said for said in advice(settings) if "is an example" not in said] == []


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("environment", "1 to 16 lower-case letters, digits and hyphens, beginning with a letter"),
        ("system", "`litellm`, `litellm-benchmark`, `llm-proxy` or `llm-testing`"),
        ("network.nat_gateways", "`0`, `1` or `2`"),
        ("network.vpc_cidr", "an IPv4 range like 10.0.0.0/16"),
        ("network.public_subnet_cidrs", "two, each an IPv4 range like 10.0.0.0/16"),
        ("alb.allowed_cidrs", "a list, at least one, each an IPv4 range like 10.0.0.0/16"),
        ("alb.waf", "`true` or `false`"),
        ("database.min_acu", "a capacity; 0 to 256 in steps of 0.5"),
        ("service.cpu", "a CPU size of Fargate: 256, 512, 1024, 2048, 4096, 8192, 16384"),
        ("service.image", "ecr or an image like ghcr.io/berriai/litellm-database"),
        ("service.config", "keys with values below it"),
        ("service.environment", "names with texts below it"),
        ("secrets.rotation_days", "1 to 1000 days"),
        ("observability.rollback_alarms", "a list, at most 5, each an alarm's name or ARN"),
    ],
)
def test_what_a_key_takes_is_said_as_its_refusal_says_it(key: str, said: str) -> None:
    assert takes(KEYS[key].info).startswith(said)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("system", "-"),
        ("region", "`us-east-1`"),
        ("alb.waf", "`false`; production `true`"),
        (
            "database.instance_class",
            "`db.t3.micro`; litellm-benchmark `db.t3.medium`; litellm in production `db.m7g.large`",
        ),
        ("service.config", "see `stacks/systems/litellm.yaml`"),
        ("network.vpc_endpoints", "`false`; litellm `true`; litellm-benchmark in production `true`"),
        ("network.public_subnet_cidrs", "from vpc_cidr"),
    ],
)
def test_a_default_is_the_usual_one_then_who_has_another(key: str, said: str) -> None:
    assert reference.default(KEYS[key]).startswith(said)


ALIKE = {(key.section, reference.changes(key.name)): key for key in reversed(KEYS.values())}


@pytest.mark.parametrize("key", ALIKE.values(), ids=lambda key: key.name)
def test_a_key_changes_no_stack_that_its_row_does_not_name(key: Key) -> None:
    """One of each section's keys that change the same stacks, where most is on; the deep search has all."""
    changed = key_changes.found(key, key_changes.FULL, thorough=False) or frozenset()

    assert changed <= set(reference.changes(key.name))


@pytest.mark.parametrize("name", ["service.execute_command", "observability.xray", "network.nat_gateways"])
def test_a_key_that_a_closed_network_needs_an_endpoint_for_names_the_network(name: str) -> None:
    changed = key_changes.found(KEYS[name], ("closed",)) or frozenset()

    assert "network" in changed <= set(reference.changes(name))


@pytest.mark.deep
@pytest.mark.parametrize(
    "key",
    # A provider needs keys that no other one takes: by itself none can be changed into another.
    [key for key in KEYS.values() if "[]" not in key.name and key.name not in {EXTENDS, "sso.provider"}],
    ids=lambda key: key.name,
)
def test_the_stacks_that_a_key_changes_are_those_of_its_row(key: Key) -> None:
    changed = key_changes.found(key)

    assert changed is not None, "no environment takes another value: say one in tests/stacks/key_changes.py"
    assert set(reference.changes(key.name)) == changed


def test_no_row_of_the_table_of_changes_is_idle() -> None:
    used = {
        next(
            (
                one
                for one in (".".join(parts[:count]) for count in range(len(parts), 0, -1))
                if one in CHANGES
            ),
            None,
        )
        for parts in (name.partition("[]")[0].split(".") for name in KEYS)
    }

    assert set(CHANGES) == used - {None}
