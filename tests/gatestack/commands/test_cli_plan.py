"""Plans as people and pipelines use them: saved, reviewed, executed exactly, or agreed to at a terminal."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.server import Sandbox
from tests.command import User
from tests.sandbox.sandbox_account import client


def test_a_plan_is_saved_executed_exactly_and_refused_once_the_file_changed(user: User) -> None:
    planned = user.run("plan", "llm-testing", "--save", "p.json")
    assert planned.code == 0, planned.err
    assert (
        planned.out.splitlines()[-1] == "to deploy exactly this: gatestack deploy llm-testing --plan p.json"
    )
    saved = json.loads((user.folder / "p.json").read_text())
    assert (saved["format"], saved["environment"], saved["region"]) == (2, "test", "us-east-1")
    assert {stack["action"] for stack in saved["stacks"]} == {"create"}

    deployed = user.run("deploy", "llm-testing", "--plan", "p.json", "--format", "json")
    assert deployed.code == 0, deployed.err
    assert [stack["status"] for stack in json.loads(deployed.out)["stacks"]] == ["CREATE_COMPLETE"] * 4

    again = user.run("deploy", "llm-testing", "--plan", "p.json")
    assert again.code == 0, again.err
    user.edit("llm-testing", "desired_count: 2", "desired_count: 3")
    refused = user.run("deploy", "llm-testing", "--plan", "p.json")
    assert refused.code == 4
    assert "the template is not the one that was planned: plan again" in refused.err


def test_a_file_that_is_no_plan_a_mixed_choice_and_a_missing_folder_are_usage_errors(user: User) -> None:
    (user.folder / "p.json").write_text("{}")

    broken = user.run("deploy", "dev", "--plan", "p.json")
    both = user.run("deploy", "dev", "--plan", "p.json", "--only", "alb")
    nowhere = user.run("plan", "dev", "--save", "missing/p.json")

    assert (broken.code, both.code, nowhere.code) == (2, 2, 2)
    assert "p.json is not a plan that `gatestack plan --save` wrote" in broken.err
    assert "cannot be given with --plan: the plan defines that" in both.err
    assert "there is no folder missing" in nowhere.err


def test_at_a_terminal_what_was_shown_is_what_is_deployed(user: User, sandbox: Sandbox) -> None:
    no = user.at_a_terminal("n\n", "deploy", "llm-testing")
    assert no.code == 4, no.err
    assert "nothing was changed" in no.err
    status = json.loads(user.run("status", "llm-testing", "--format", "json").out)
    assert [stack["status"] for stack in status["stacks"]] == [None] * 4

    sandbox.calls.clear()
    yes = user.at_a_terminal("y\n", "deploy", "llm-testing")
    assert yes.code == 0, yes.err
    before, asked, _ = yes.err.partition("Deploy this to test?")
    assert asked
    question = before.rstrip().splitlines()[-3:]
    assert question[:2] == ["data at risk: none", "interruption: none"]
    assert question[2].startswith("cost: $0.00 -> $")
    assert [call.action for call in sandbox.calls].count("CreateChangeSet") == 4


def test_at_a_terminal_nobody_is_asked_where_a_name_is_taken(user: User, sandbox: Sandbox) -> None:
    client(sandbox, "logs").create_log_group(logGroupName="/ecs/dev-litellm-proxy")

    done = user.at_a_terminal("y\n", "deploy", "dev")

    assert done.code == 2, done.err
    assert "dev needs a name that is taken; nothing was changed:" in done.err
    assert "aws logs delete-log-group --log-group-name /ecs/dev-litellm-proxy" in done.err
    assert "Deploy this to" not in done.err
    assert client(sandbox, "cloudformation").describe_stacks()["Stacks"] == []


def test_at_a_terminal_nobody_is_asked_where_data_would_be_lost(user: User) -> None:
    assert user.run("generate", "llm-testing", "--out", "built").code == 0
    assert user.run("deploy", "built", "--yes").code == 0
    path = user.folder / "built" / "service.json"
    document = json.loads(path.read_text())
    del document["Resources"]["TaskLog"]
    text = json.dumps(document).replace('{"Ref": "TaskLog"}', '"elsewhere"').replace('"TaskLog"', '"Cluster"')
    path.write_text(text)

    chosen = ("--region", "us-east-1", "--only", "service", "--fresh", "--on-failure", "stop")
    done = user.at_a_terminal("y\n", "deploy", "built", *chosen)

    assert done.code == 4, done.err
    allows = (
        "gatestack deploy built --region us-east-1 --only service --fresh --on-failure stop "
        "--allow-replace TaskLog"
    )
    assert done.err.splitlines()[-1].endswith(f"nothing was changed; to allow it: {allows}")
    assert "Deploy this to" not in done.err
    allowed = user.at_a_terminal("n\n", *allows.split()[1:])
    assert (allowed.code, "allowed by --allow-replace TaskLog" in allowed.err) == (4, True), allowed.err


def bytes_flipped(folder: Path, draw: random.Random, count: int) -> Iterator[str]:
    """Change one drawn byte of a drawn file at a time, and put it back."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    for _ in range(count):
        path = draw.choice(files)
        content = path.read_bytes()
        at = draw.randrange(len(content))
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << draw.randrange(7)]) + content[at + 1 :])
        yield f"byte {at} of {path.name}"
        path.write_bytes(content)


def fields_changed(path: Path, draw: random.Random, count: int) -> Iterator[str]:
    """Change one drawn field of the plan at a time, and put it back."""
    text = path.read_text()
    for _ in range(count):
        entry = json.loads(text)
        stack = draw.choice(entry["stacks"])
        node = draw.choice([entry, stack, draw.choice(stack["changes"])])
        name = draw.choice(sorted(node))
        node[name] = draw.choice(["other", 7, None, [node[name]], {}])
        path.write_text(json.dumps(entry))
        yield f"{name} of the plan"
        path.write_text(text)


def refusals(user: User, sandbox: Sandbox, count: int) -> None:
    draw = random.Random(count)  # noqa: S311 - a reproducible sample, no secret
    assert user.run("generate", "llm-testing", "--out", "built").code == 0
    planned = user.run("plan", "built", "--save", "p.json")
    assert planned.code == 0, planned.err
    for changes in (
        bytes_flipped(user.folder / "built", draw, count),
        fields_changed(user.folder / "p.json", draw, count),
    ):
        for what in changes:
            refused = user.run("deploy", "built", "--plan", "p.json")
            assert refused.code == 4, (what, refused.err)
            assert refused.err.rstrip().endswith("plan again"), what
    assert "ExecuteChangeSet" not in {call.action for call in sandbox.calls}
    assert user.run("deploy", "built", "--plan", "p.json").code == 0


def test_any_byte_of_the_folder_and_any_field_of_the_plan_that_changed_is_refused(
    user: User, sandbox: Sandbox
) -> None:
    refusals(user, sandbox, 4)


@pytest.mark.deep
def test_many_bytes_and_fields_that_changed_are_refused(user: User, sandbox: Sandbox) -> None:
    refusals(user, sandbox, 100)


def test_a_file_that_was_taken_out_of_the_folder_or_is_a_link_now_is_refused(user: User) -> None:
    assert user.run("generate", "dev", "--out", "built").code == 0
    assert user.run("plan", "built", "--only", "network", "--save", "p.json").code == 0
    path = user.folder / "built" / "network.json"
    path.rename(user.folder / "network.json")
    gone = user.run("deploy", "built", "--plan", "p.json")
    path.symlink_to(user.folder / "network.json")
    linked = user.run("deploy", "built", "--plan", "p.json")

    assert (gone.code, linked.code) == (4, 4)
    assert gone.err == linked.err
    assert "built/network.json is not the file that was planned: plan again" in gone.err


def test_a_plan_says_who_made_it_and_only_its_owner_can_read_it(user: User) -> None:
    assert user.run("plan", "dev", "--only", "network", "--save", "p.json").code == 0

    saved = json.loads((user.folder / "p.json").read_text())
    assert saved["by"].startswith("arn:aws:")
    assert saved["account"] == saved["by"].split(":")[4]
    assert (user.folder / "p.json").stat().st_mode & 0o077 == 0


def test_a_plan_is_not_written_through_a_link_and_leaves_no_change_set_then(
    user: User, sandbox: Sandbox
) -> None:
    (user.folder / "precious").write_text("kept")
    (user.folder / "p.json").symlink_to(user.folder / "precious")

    done = user.run("plan", "dev", "--only", "network", "--save", "p.json")

    assert done.code == 1
    assert "p.json cannot be written: p.json is a symbolic link: remove it" in done.err
    assert (user.folder / "precious").read_text() == "kept"
    assert sandbox.control.call("DescribeStacks", {}, "us-east-1")["Stacks"] == []
