"""The last screen of a run: short, without outputs, and with commands that work."""

from __future__ import annotations

import math
import re
import shlex

import pytest

from gatestack.ending.facts import Known, ending
from gatestack.ending.text import after, text
from sandbox.server import Sandbox
from tests.command import Done, User
from tests.gatestack.ending.screens import SCREENS, Screen, failed, run, skipped

LINES = 25


def on_screen(screen: Screen) -> str:
    found = ending(screen.result, screen.known)
    cause = f"error: {found.cause}" if found.cause else ""
    return "\n".join(part for part in (text(found), found.url, after(found), cause) if part)


@pytest.mark.parametrize("name", SCREENS)
def test_a_run_ends_with_one_screen(name: str) -> None:
    found = on_screen(SCREENS[name])

    assert found == SCREENS[name].lines.strip("\n")
    assert sum(math.ceil(len(line) / 80) for line in found.splitlines()) <= LINES
    assert not re.search(r"Secret\d+Arn", found)


def test_a_screen_is_short_however_many_stacks_and_things_there_are() -> None:
    many = tuple(failed("ROLLBACK_COMPLETE") for _ in range(30))
    names = tuple(f"stack{n}" for n in range(40))

    found = on_screen(Screen(run(many, skipped(*names)), "", Known(keys=names)))

    assert "  and 24 stacks more: `gatestack status dev`" in found
    assert "stack11 and 28 more" in found
    assert len(found.splitlines()) <= LINES


OTHER_DATABASE = """
extend:
  patches:
    - stack: database
      resource: Database
      path: Properties.DBName
      set: other
      reason: another one takes its place
"""


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
    (both, _) = commands(user.run(*allowed, "--yes"))
    assert {"--allow-replace", "--migrate-exports"} <= {*both}, "its address is imported: that is asked next"
    user.edit("local", OTHER_DATABASE, "")
    assert user.run(*both, "--yes").code == 0


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
