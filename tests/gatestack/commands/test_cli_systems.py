"""The commands on a system without a database stack, and on stacks that an environment no longer has."""

import json

import pytest

from deployer.progress import Outcome, Result, StackResult
from gatestack.ending.facts import ending
from gatestack.environment import resolve
from sandbox.server import Sandbox
from stacks.bases import environment_files
from stacks.environment import load
from tests.command import User
from tests.places import ENVIRONMENTS, ROOT
from tests.sandbox.sandbox_account import client

FOUR = ["security", "network", "alb", "service"]
TOPIC = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


def names(text: str) -> list[str]:
    return [line.split()[0] for line in text.splitlines()]


def leave_behind(sandbox: Sandbox, name: str) -> None:
    """Make the stack that `test` of llm-testing would have had, had it once kept something."""
    tags = {"ManagedBy": "gatestack", "Environment": "test", "System": "llm-testing", "Stack": "database"}
    client(sandbox, "cloudformation").create_stack(
        StackName=name,
        TemplateBody=TOPIC,
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )


def test_what_setup_writes_for_another_system_goes_up_is_looked_at_and_goes_again(user: User) -> None:
    options = ("--yes", "--system", "llm-testing", "--environment", "qa")
    assert user.run("setup", *options).code == 0

    up = user.run("deploy", "llm-testing-qa", "--yes")
    assert up.code == 0, up.err
    assert "`gatestack deploy llm-testing-qa` again" in up.err
    assert names(user.run("status", "llm-testing-qa").out) == FOUR
    outputs = json.loads(user.run("outputs", "llm-testing-qa", "--format", "json").out)["outputs"]
    assert sorted(outputs) == sorted(FOUR)
    assert outputs["alb"]["ApiEndpoint"] == outputs["alb"]["Url"]
    assert {line.split()[1] for line in user.run("events", "llm-testing-qa").out.splitlines()} <= {*FOUR}
    assert user.run("plan", "llm-testing-qa", "--detailed-exitcode").code == 0
    revealed = user.run("secret", "get", "llm-testing-qa", "api-keys", "--reveal")
    assert json.loads(revealed.out)["keys"][0]["id"] == "first"

    gone = user.run("destroy", "llm-testing-qa", "--yes")
    assert gone.code == 0, gone.err
    assert all("not there" in line for line in user.run("status", "llm-testing-qa").out.splitlines())


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "llm-testing", "--only", "database"],
        ["deploy", "llm-testing", "--yes", "--only", "database"],
        ["destroy", "llm-testing", "--yes", "--only", "database"],
        ["events", "llm-testing", "--stack", "database"],
        ["drift", "llm-testing", "--stack", "database"],
    ],
    ids=lambda arguments: str(arguments[0]),
)
def test_a_stack_that_the_system_has_not_is_a_usage_error_that_names_the_four(
    user: User, sandbox: Sandbox, arguments: list[str]
) -> None:
    done = user.run(*arguments)

    assert "no stack database; test has security, network, alb, service" in done.err
    assert (done.code, sandbox.calls) == (2, [])


def test_nobody_is_asked_to_agree_to_the_removal_of_a_stack_that_is_none(user: User) -> None:
    done = user.at_a_terminal("test\n", "destroy", "llm-testing", "--only", "database")

    assert (done.code, "This deletes" in done.err) == (2, False)


def test_the_graph_has_the_four_stacks(user: User) -> None:
    drawn = user.run("graph", "llm-testing").out

    assert {line.strip() for line in drawn.splitlines() if line.startswith("  ") and "<-" not in line} == {
        *FOUR
    }


def test_what_is_left_of_an_environment_is_shown_and_taken_away(user: User, sandbox: Sandbox) -> None:
    leave_behind(sandbox, "test-llm-testing-database")

    there = user.run("status", "llm-testing")
    assert names(there.out) == [*FOUR, "database"]
    assert "note: test no longer has database (test-llm-testing-database): the next deploy or" in there.err
    found = json.loads(user.run("status", "llm-testing", "--format", "json").out)["stacks"][-1]
    assert (found["name"], found["stack_name"]) == ("database", "test-llm-testing-database")
    assert "database" in user.run("events", "llm-testing").out
    assert user.run("watch", "llm-testing").code == 0

    assert user.run("destroy", "llm-testing", "--yes").code == 0
    assert names(user.run("status", "llm-testing").out) == FOUR


@pytest.mark.parametrize("name", [path.stem for path in environment_files(ENVIRONMENTS)])
def test_the_stacks_that_commands_look_at_are_those_that_are_rendered(name: str) -> None:
    environment = resolve(str(ROOT / "environments" / f"{name}.yaml"))

    assert environment.stack_names == {one.name: one.stack_name for one in environment.manifest().stacks}
    assert ("database" in environment.stack_names) == (
        load(ROOT / "environments" / f"{name}.yaml").keeps_data
    )


@pytest.mark.parametrize(("outcome", "again"), [("going-on", "watch"), ("failed", "deploy")])
def test_a_command_that_goes_on_names_the_file_not_the_environment(outcome: Outcome, again: str) -> None:
    stack = StackResult("alb", "dev-llm-proxy-alb", "update", outcome, "UPDATE_IN_PROGRESS", 1.0)
    result = Result("dev", "deploy", (stack,), env="llm-proxy-dev")

    assert result.resume == "gatestack deploy llm-proxy-dev"
    assert f"gatestack {again} llm-proxy-dev" in [step.command for step in ending(result).steps]
