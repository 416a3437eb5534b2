"""Plans as people and pipelines use them: saved, reviewed, executed exactly, or agreed to at a terminal."""

import json

from sandbox.server import Sandbox
from tests.command import User


def test_a_plan_is_saved_executed_exactly_and_refused_once_the_file_changed(user: User) -> None:
    planned = user.run("plan", "dev", "--save", "p.json")
    assert planned.code == 0, planned.err
    assert planned.out.splitlines()[-1] == "to deploy exactly this: gatestack deploy dev --plan p.json"
    saved = json.loads((user.folder / "p.json").read_text())
    assert (saved["format"], saved["environment"], saved["region"]) == (1, "dev", "us-east-1")
    assert {stack["action"] for stack in saved["stacks"]} == {"create"}

    deployed = user.run("deploy", "dev", "--plan", "p.json", "--format", "json")
    assert deployed.code == 0, deployed.err
    assert [stack["status"] for stack in json.loads(deployed.out)["stacks"]] == ["CREATE_COMPLETE"] * 5

    again = user.run("deploy", "dev", "--plan", "p.json")
    assert again.code == 0, again.err
    user.edit("dev", "log_retention_days: 14", "log_retention_days: 30")
    refused = user.run("deploy", "dev", "--plan", "p.json")
    assert refused.code == 4
    assert "the template is not the one that was planned: plan again" in refused.err


def test_a_file_that_is_no_plan_a_mixed_choice_and_a_missing_folder_are_usage_errors(user: User) -> None:
    (user.folder / "p.json").write_text("{}")

    broken = user.run("deploy", "dev", "--plan", "p.json")
    both = user.run("deploy", "dev", "--plan", "p.json", "--only", "alb")
    nowhere = user.run("plan", "dev", "--save", "missing/p.json")

    assert (broken.code, both.code, nowhere.code) == (2, 2, 2)
    assert "p.json is no plan that `gatestack plan --save` wrote" in broken.err
    assert "cannot be given with --plan: the plan says it" in both.err
    assert "there is no folder missing" in nowhere.err


def test_at_a_terminal_what_was_shown_is_what_is_deployed(user: User, sandbox: Sandbox) -> None:
    no = user.at_a_terminal("n\n", "deploy", "dev")
    assert no.code == 4, no.err
    assert "nothing was changed" in no.err
    status = json.loads(user.run("status", "dev", "--format", "json").out)
    assert [stack["status"] for stack in status["stacks"]] == [None] * 5

    sandbox.calls.clear()
    yes = user.at_a_terminal("y\n", "deploy", "dev")
    assert yes.code == 0, yes.err
    assert [call.action for call in sandbox.calls].count("CreateChangeSet") == 5


def test_at_a_terminal_nobody_is_asked_where_data_would_be_lost(user: User) -> None:
    assert user.run("generate", "dev", "--out", "built").code == 0
    assert user.run("deploy", "built", "--yes").code == 0
    path = user.folder / "built" / "service.json"
    document = json.loads(path.read_text())
    del document["Resources"]["TaskLog"]
    text = json.dumps(document).replace('{"Ref": "TaskLog"}', '"elsewhere"').replace('"TaskLog"', '"Cluster"')
    path.write_text(text)

    done = user.at_a_terminal("y\n", "deploy", "built")

    assert done.code == 4, done.err
    assert "--allow-replace TaskLog" in done.err.splitlines()[-1]
    assert "Deploy this to" not in done.err
