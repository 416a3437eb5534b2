"""The last screen of a run: short, without outputs, and with commands that work."""

from __future__ import annotations

import math
import re
import shlex
from dataclasses import replace

import click
import pytest

from deployer.causes import way_out
from deployer.facts.summary import consent_command
from deployer.observed import Desired
from deployer.options import Options as RunOptions
from deployer.plan import Plan, StackPlan
from deployer.progress import Result, StackResult, first_execution
from gatestack.cli import cli
from gatestack.ending.facts import Ending, Known, ending
from gatestack.ending.text import after, text
from gatestack.options import Options
from sandbox.server import Sandbox
from tests.command import OTHER_DATABASE, Done, User
from tests.gatestack.ending.day2_screens import DAY2
from tests.gatestack.ending.screens import SCREENS, Screen, failed, run, skipped

LINES = 25


def on_screen(screen: Screen) -> str:
    return written(ending(screen.result, screen.known))


def written(found: Ending) -> str:
    cause = f"error: {found.cause}" if found.cause else ""
    return "\n".join(part for part in (text(found), found.url, after(found), cause) if part)


@pytest.mark.parametrize("name", SCREENS)
def test_a_run_ends_with_one_screen(name: str) -> None:
    found = on_screen(SCREENS[name])

    assert found == SCREENS[name].lines.strip("\n")
    assert sum(math.ceil(len(line) / 80) for line in found.splitlines()) <= LINES
    assert not re.search(r"Secret\d+Arn", found)


@pytest.mark.parametrize("name", DAY2)
def test_verify_and_rotate_end_with_one_screen(name: str) -> None:
    found, lines = DAY2[name]

    assert written(found) == lines.strip("\n")
    assert sum(math.ceil(len(line) / 80) for line in written(found).splitlines()) <= LINES


def test_a_screen_is_short_however_many_stacks_and_things_there_are() -> None:
    many = tuple(failed("ROLLBACK_COMPLETE") for _ in range(30))
    names = tuple(f"stack{n}" for n in range(40))

    found = on_screen(Screen(run(many, skipped(*names)), "", Known(keys=names)))

    assert "  and 24 stacks more: `gatestack status dev`" in found
    assert "stack11 and 28 more" in found
    assert len(found.splitlines()) <= LINES


WHERE = Options(region="eu-west-1", profile="my own", sandbox=True)
EVERY_CHOICE = RunOptions(
    only=frozenset({"alb", "database"}),
    allow_replace=frozenset({"Bucket"}),
    on_failure="stop",
    migrate_exports=True,
    revert_drift=True,
    skip_in_rollback=frozenset({"Service"}),
    fresh=True,
    env=WHERE.called("dev"),
)
LOST = StackResult(
    "database", "dev-database", "update", "protected", "", 1.0, allow="--allow-replace Database"
)


@pytest.mark.parametrize("saved", ["", "my plan.json"])
def test_every_command_that_is_named_keeps_every_option_and_is_one(saved: str) -> None:
    chosen = EVERY_CHOICE
    missing = StackPlan("database", "dev-database", "update", exact=True, protected=("Database",))
    made = Plan("dev", (missing,), env=chosen.env, flags=chosen.flags)
    result = Result("dev", "deploy", (LOST,), plan=saved, env=chosen.env, flags=chosen.flags)
    going = replace(result, stacks=(replace(LOST, outcome="interrupted", allow=""),))
    desired = Desired("dev-database", {}, env=chosen.env, flags=chosen.flags)
    named = [step.command for each in (result, going) for step in ending(each).steps]
    named += [
        consent_command(made),
        first_execution(made.called, "my plan.json", *made.flags),
        way_out(desired.command, ["Other"]).rpartition("`")[0].rpartition("`")[2],
    ]

    for command in named:
        program, verb, *arguments = shlex.split(command)
        asked = cli.get_command(click.Context(cli), verb)
        assert asked is not None
        context = asked.make_context(program, arguments)
        assert context.obj == WHERE, command
        given = context.params
        assert given["fresh"], command
        planned = verb == "deploy" and given["path"] is not None
        assert set(given["only"]) == (set() if planned else {"alb", "database"}), command
        assert given["revert_drift"] is not planned
        if verb == "deploy":
            assert (given["on_failure"], given["skip_in_rollback"][0]) == ("stop", "Service"), command
    (allow, *_) = ending(result).steps
    for command in (allow.command, consent_command(made)):
        assert "--migrate-exports" in command
        assert re.findall(r"--allow-replace (\w+)", command) == ["Bucket", "Database"]


def test_what_a_command_names_next_is_for_the_same_account_and_region(deployed: User) -> None:
    where = ("--region", "eu-west-1")
    for command in (
        ("verify", "dev"),
        ("rollout", "dev"),
        ("rollout", "dev", "--image-tag", "v1", "--yes"),
        ("secret", "list", "dev"),
        ("secret", "get", "dev", "api-keys"),
        ("config", "list", "dev"),
        ("config", "set", "dev", "log-level", "INFO"),
    ):
        done = deployed.run(*command, *where)
        assert "`gatestack deploy dev --region eu-west-1`" in done.out + done.err, command
    done = deployed.run("config", "set", "local", "log-level", "DEBUG", "--region", "us-east-1")
    assert "gatestack rollout local --region us-east-1;" in done.err, done.err


def test_an_image_that_comes_with_a_consent_names_the_deployment_and_then_itself() -> None:
    again = "gatestack rollout dev --image-tag v2 --all-changes"
    flags = ("--only database", "--only service")
    plan = Plan("dev", (), flags=flags, command=again)
    missing = StackPlan("database", "dev-database", "update", exact=True, protected=("Database",))
    allowed = f"gatestack deploy dev {' '.join(flags)} --allow-replace Database && {again}"

    assert consent_command(replace(plan, stacks=(missing,))) == allowed
    shown = ending(Result("dev", "deploy", (LOST,), flags=flags, command=again)).steps
    assert [one.command for one in shown] == [allowed, again]


def commands(done: Done) -> list[list[str]]:
    """Return the commands that the last screen names, each as the arguments of `gatestack`."""
    below = done.err.partition("\nnext:\n")[2].splitlines()
    lines = [line for line in below if line.startswith("  gatestack ")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def test_after_a_refusal_the_screen_names_what_allows_it_and_what_takes_it_back(deployed: User) -> None:
    user = deployed
    user.edit("local", "tier: dev", f"tier: dev\n{OTHER_DATABASE}")

    refused = user.run("deploy", "local", "--yes", "--on-failure", "stop", "--region", "us-east-1")

    assert refused.code == 4, refused.err
    allowed, reverted = commands(refused)
    assert reverted == ["deploy", "local", "--region", "us-east-1", "--on-failure", "stop"]
    assert user.run(*reverted, "--yes").code == 4, "the same again is refused again"
    user.edit("local", OTHER_DATABASE, "")
    assert user.run(*reverted, "--yes").code == 0, "nothing is different any more"
    user.edit("local", "tier: dev", f"tier: dev\n{OTHER_DATABASE}")
    assert {"--allow-replace", "--migrate-exports"} <= {*allowed}, "its address is imported"
    assert "; it would change the export " in refused.err.splitlines()[-1], refused.err
    user.edit("local", OTHER_DATABASE, "")
    assert user.run(*allowed, "--yes").code == 0


def test_a_run_that_failed_is_resumed_by_the_command_it_names(deployed: User, account: Sandbox) -> None:
    user = deployed
    user.edit("local", "\nservice:", "\ndatabase:\n  instance_class: db.t3.small\n\nservice:")
    fault = {"logical_id": "Database", "operation": "update", "reason": "no capacity"}
    account.faults.add({"resources": [fault]})

    done = user.run("deploy", "local", "--yes", "--on-failure", "stop", "--only", "database")

    assert done.code == 1, done.err
    (again,) = commands(done)
    assert again == ["deploy", "local", "--only", "database", "--on-failure", "stop"]
    assert done.err.count("no capacity") == 2, "once in its event, once at the end"
    resumed = user.run(*again, "--yes")
    assert (resumed.code, "local: 1 stack deployed" in resumed.err) == (0, True), resumed.err


def test_what_a_deployment_leaves_open_is_said_at_its_end_until_it_is_done(deployed: User) -> None:
    user = deployed

    first = user.at_a_terminal("y\n", "deploy", "dev")
    again = user.run("deploy", "dev", "--yes", "--quiet")

    assert (first.code, again.code) == (0, 0), first.err
    image, deploy, *keys, verify = commands(first)
    assert (image[:3], deploy, verify) == (["image", "dev", "--push"], ["deploy", "dev"], ["verify", "dev"])
    assert commands(again) == [image, deploy, verify]
    assert "arn:aws" not in again.err + again.out
    for secret in keys:
        assert user.run(*secret, stdin="sk-0123456789abcdef").code == 0
