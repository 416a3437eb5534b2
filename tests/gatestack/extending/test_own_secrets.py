"""Secrets of one's own from the file to the tasks: `service.secrets`, `secret set`, `verify`, deployments."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.server import Sandbox
from stacks.known_secrets import put_in
from tests.command import User
from tests.sandbox.sandbox_account import client

OTHERS = ("api-keys", "salt-key", "ui-password")
NAMES = ("AZURE_API_KEY", "GEMINI_API_KEY", "LANGFUSE_SECRET_KEY", "OTEL_TOKEN")


class Environment:
    """`local` of an account, and what is known of the values that people have put in."""

    def __init__(self, user: User, account: Sandbox) -> None:
        self.user = user
        self.secrets, self.ecs = client(account, "secretsmanager"), client(account, "ecs")
        self.values: dict[str, str] = {name: self.held(f"variables/{name}")[name] for name in self.there()}
        self.others = {name: self.held(name) for name in OTHERS}

    def held(self, name: str) -> Any:
        text = self.secrets.get_secret_value(SecretId=f"local-litellm/{name}")["SecretString"]
        return json.loads(text)

    def there(self) -> set[str]:
        """Return the variables that have a secret."""
        names = [one["Name"] for one in self.secrets.list_secrets()["SecretList"]]
        return {name.rpartition("/")[2] for name in names if "/variables/" in name}

    def deploy(self, wanted: Iterable[str], *, consent: bool = True) -> Any:
        """Bring it to a file that names the variables *wanted*; *consent* lets the values of others go."""
        names = list(wanted)
        path = self.user.folder / "environments" / "local.yaml"
        text = re.sub(r"\n  secrets: .*", "", path.read_text().rstrip())
        path.write_text(f"{text}\n  secrets: {json.dumps(names)}\n")
        gone = [name for name in self.values if name not in names]
        flags = [part for name in gone for part in ("--allow-replace", put_in(name).title)] if consent else []
        done = self.user.run("deploy", "local", "--yes", "--only", "security", "--only", "service", *flags)
        if done.code == 0:
            self.values = {name: self.values.get(name, "REPLACE_ME") for name in names}
        return done

    def set(self, name: str, value: str) -> None:
        done = self.user.run("secret", "set", "local", name, stdin=f"{value}\n")
        assert done.code == 0, done.err
        self.values[name] = value

    def check(self) -> None:
        """No value is lost, none is left over, and every task that may start finds all that it asks for."""
        for name, value in self.values.items():
            assert self.held(f"variables/{name}") == {name: value}
        assert {name: self.held(name) for name in OTHERS} == self.others
        assert self.there() == self.values.keys()
        (service,) = self.ecs.describe_services(cluster="local-litellm", services=["local-litellm-proxy"])[
            "services"
        ]
        task = self.ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
        sources = {one["name"]: one["valueFrom"] for one in task["containerDefinitions"][0]["secrets"]}
        assert self.values.keys() <= sources.keys()
        for source in sources.values():
            if ":secret:" in source:
                arn, key = re.fullmatch(r"(.*:secret:[^:]+):(\w+)::", source).groups()  # type: ignore[union-attr]
                assert json.loads(self.secrets.get_secret_value(SecretId=arn)["SecretString"])[key]


@pytest.fixture
def environment(deployed: User, account: Sandbox) -> Environment:
    found = Environment(deployed, account)
    assert found.deploy([]).code == 0
    return found


@pytest.mark.deep
def test_a_name_goes_from_the_file_to_the_tasks_and_its_value_stays(environment: Environment) -> None:
    user = environment.user
    assert environment.deploy(["AZURE_API_KEY", "LANGFUSE_SECRET_KEY"]).code == 0
    told = user.run("verify", "local")
    for name in environment.values:
        assert f"{name} of local-litellm/variables/{name} is still the placeholder" in told.out
        assert f"`gatestack secret set local {name}`" in told.err

    environment.set("LANGFUSE_SECRET_KEY", "sk-lf-0123456789")
    listed = user.run("secret", "list", "local")
    assert "\nAZURE_API_KEY  placeholder, changed 2" in listed.out
    assert "\nLANGFUSE_SECRET_KEY  set, changed 2" in listed.out
    shown = user.run("secret", "get", "local", "LANGFUSE_SECRET_KEY", "--reveal")
    assert shown.out.strip() == "sk-lf-0123456789"
    assert "LANGFUSE_SECRET_KEY of local-litellm" not in user.run("verify", "local").out
    environment.check()

    wrapped = user.run("secret", "set", "local", "AZURE_API_KEY", stdin='{"AZURE_API_KEY": "x"}')
    assert "AZURE_API_KEY is not set: it is JSON around the value; give the value alone" in wrapped.err
    rotated = user.run("rotate", "local", "LANGFUSE_SECRET_KEY")
    assert "`gatestack secret set local LANGFUSE_SECRET_KEY`" in rotated.err

    refused = environment.deploy(["LANGFUSE_SECRET_KEY", "GEMINI_API_KEY"], consent=False)
    assert refused.code != 0
    assert "which holds data; to allow it: --allow-replace AzureApiKeySecret" in refused.out + refused.err
    environment.check()
    renamed = environment.deploy(["LANGFUSE_SECRET_KEY", "GEMINI_API_KEY"])
    assert renamed.code == 0, renamed.err
    environment.check()
    assert environment.deploy(["LANGFUSE_SECRET_KEY", "AZURE_API_KEY"]).code == 0
    environment.check()
    assert environment.values == {"LANGFUSE_SECRET_KEY": "sk-lf-0123456789", "AZURE_API_KEY": "REPLACE_ME"}


def test_a_folder_of_templates_knows_them_too(environment: Environment) -> None:
    environment.deploy(["OTEL_TOKEN"])
    user = environment.user
    assert user.run("generate", "local").code == 0

    done = user.run("secret", "set", "build/local", "OTEL_TOKEN", stdin="a1b2c3")

    assert done.code == 0, done.err
    assert environment.held("variables/OTEL_TOKEN") == {"OTEL_TOKEN": "a1b2c3"}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("deploy"), st.sets(st.sampled_from(NAMES)).map(sorted)),
        st.tuples(st.just("set"), st.sampled_from(NAMES), st.text("ab1-_", min_size=2, max_size=9)),
        st.tuples(st.just("rotate")),
    ),
    min_size=1,
    max_size=8,
)


def walk(environment: Environment, steps: Iterable[tuple[Any, ...]]) -> None:
    for step in steps:
        match step:
            case ("deploy", names):
                done = environment.deploy(names)
                assert done.code == 0, done.out + done.err
            case ("set", name, value) if name in environment.values:
                environment.set(name, f"x{value}x")
            case ("rotate",):
                done = environment.user.run("rotate", "local", "master-key", "--no-wait-rollout")
                assert done.code == 0, done.err
        environment.check()


def test_no_value_is_lost_by_what_comes_and_goes_beside_it(environment: Environment) -> None:
    one, two, three, four = NAMES
    walk(
        environment,
        [
            ("deploy", [one, two]),
            ("set", one, "a"),
            ("deploy", [three, four, one]),
            ("rotate",),
            ("deploy", [one]),
        ],
    )


def searched(examples: int) -> Callable[[Any], Any]:
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    return settings(max_examples=examples, database=None, suppress_health_check=checks)


@pytest.mark.deep
@searched(15)
@given(steps=STEPS)
def test_no_walk_loses_a_value(environment: Environment, steps: list[tuple[Any, ...]]) -> None:
    assert environment.deploy([]).code == 0
    walk(environment, steps)
