"""The commands without an account: what is refused, how, and with which exit code."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gatestack.cli import COMMANDS, cli
from tests.command import LOGIN, User


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User.at(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", "staging"], "no such file; environments has dev.yaml, litellm-benchmark"),
        (["generate", "nowhere/dev.yaml"], "nowhere/dev.yaml: no such file"),
        (["status", "environments"], "environments is not a folder that `gatestack generate` wrote"),
        (["deploy", "dev", "--on-failure", "panic"], "'panic' is not one of"),
        (["deploy"], "Missing argument 'ENV'"),
        (["generat", "dev"], "No such command 'generat'"),
        (["events", "dev", "--stack", "databse"], "no stack databse; dev has security, network"),
        (["deploy", "dev", "--yes"], "there are no AWS credentials"),
        (["--profile", "nobody", "status", "dev"], "there is no profile nobody in ~/.aws/config"),
    ],
)
def test_usage_and_settings_that_cannot_work_are_refused_with_2(
    user: User, arguments: list[str], message: str
) -> None:
    done = user.run(*arguments)

    assert message in done.err
    assert (done.code, done.out) == (2, "")


def test_every_problem_of_a_file_is_told_at_once_with_its_line(user: User) -> None:
    user.edit("dev", "tier: dev", "tier: dev\nnetwrk: {}\naccount: 12")

    done = user.run("plan", "dev")

    assert "environments/dev.yaml:6: netwrk: unknown key; did you mean network?" in done.err
    assert "environments/dev.yaml:7: account:" in done.err
    assert done.code == 2


@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_nothing_is_changed_where_nobody_can_be_asked(user: User, command: str) -> None:
    done = user.run(command, "dev")

    assert "stdin is not a terminal: give --yes" in done.err
    assert done.code == 4


def test_generate_writes_a_folder_that_is_an_environment_itself(user: User) -> None:
    assert user.run("generate", "dev", "--out", "reviewed").code == 0
    folder = user.folder / "reviewed"

    assert sorted(path.name for path in folder.iterdir()) == [
        "alb.json",
        "database.json",
        "litellm-config.yaml",
        "manifest.json",
        "network.json",
        "rotation-functions.zip",
        "security.json",
        "service.json",
    ]
    assert user.run("graph", "reviewed").out == user.run("graph", "dev").out


def test_graph_shows_what_can_be_deployed_side_by_side(user: User) -> None:
    text = user.run("graph", "dev").out

    waves = [line.strip() for line in text.splitlines() if not line.startswith("    ")]
    assert waves == ["wave 1", "security", "network", "wave 2", "alb", "database", "wave 3", "service"]
    assert "    <- network: AlbSecurityGroupId, PublicSubnet1Id, PublicSubnet2Id, VpcId" in text


def test_graph_speaks_mermaid_and_dot(user: User) -> None:
    assert "  security -->|6| database" in user.run("graph", "dev", "--format", "mermaid").out
    assert '  { rank=same; "security"; "network" }' in user.run("graph", "dev", "--format", "dot").out


def test_lint_passes_what_is_shipped(user: User) -> None:
    done = user.run("lint", "prod")

    assert (done.code, done.out, done.err.splitlines()[-1]) == (0, "", "5 templates, 0 findings")


def test_lint_fails_on_a_finding_and_names_the_key_to_change(user: User) -> None:
    user.run("generate", "dev", "--out", "reviewed")
    template = user.folder / "reviewed" / "service.json"
    template.write_text(template.read_text().replace('"RetentionInDays": 14', '"RetentionInDays": 15'))

    done = user.run("lint", "reviewed")

    assert (
        "service.json: Resources/TaskLog/Properties/RetentionInDays: E3030 error: 15 is not one of"
        in done.out
    )
    assert done.out.endswith("(change observability.log_retention_days)\n")
    assert done.code == 1
    assert user.run("lint", "reviewed", "--only", "alb").code == 0
    assert user.run("lint", "reviewed", "--only", "nothing").code == 2


def test_generate_takes_another_images_tag_by_the_rules_of_the_file(user: User) -> None:
    done = user.run("generate", "dev", "--out", "built", "--image-tag", "4f0c2d9")
    assert done.code == 0, done.err
    assert "dev-litellm:4f0c2d9" in (user.folder / "built" / "service.json").read_text()

    assert "--image-tag not a tag: " in user.run("generate", "dev", "--image-tag", "not a tag").err
    assert user.run("generate", "built", "--image-tag", "v2").code == 2


def test_help_lists_every_command_and_each_has_help(user: User) -> None:
    listed = user.run("--help").out

    for command in COMMANDS:
        helped = CliRunner().invoke(cli, [command, "--help"], prog_name="gatestack")
        assert f"  {command} " in listed
        assert (helped.exit_code, helped.output.startswith(f"Usage: gatestack {command} ")) == (0, True)


def test_the_sandbox_says_whether_it_runs(user: User) -> None:
    assert json.loads(user.run("local", "status", "--format", "json").out) == {
        "running": False,
        "endpoint": None,
        "access_key_id": None,
        "secret_access_key": None,
        "folder": str(user.folder / ".local" / "state" / "gatestack"),
        "version": None,
        "environments": [],
        "load_balancers": [],
        "databases": [],
        "faults": [],
    }


def test_an_endpoint_that_does_not_answer_is_refused_where_nothing_was_asked_of_it(tmp_path: Path) -> None:
    user = User.at(tmp_path, AWS_ENDPOINT_URL="http://127.0.0.1:1", **LOGIN)

    done = user.run("status", "dev")

    assert "no connection to 127.0.0.1" in done.err
    assert done.code == 2


@pytest.mark.parametrize("command", ["deploy", "destroy", "plan", "bootstrap", "rollout", "verify"])
@pytest.mark.parametrize("name", ["nope", "environments/nope.yaml", "somewhere/nope.yaml"])
def test_an_environment_that_is_not_there_is_told_before_anybody_is_asked(
    tmp_path: Path, command: str, name: str
) -> None:
    done = User.at(tmp_path).run(command, name)

    assert done.code == 2, done.err
    assert "nope.yaml: no such file" in done.err
    assert "did you mean" not in done.err, "nothing is like it"


def test_what_takes_things_away_guesses_nothing(tmp_path: Path) -> None:
    user = User.at(tmp_path)

    assert "did you mean prod.yaml?" in user.run("plan", "prd").err
    for name in ("prd", "prod2", "locl"):
        refused = user.run("destroy", name)
        assert (refused.code, "did you mean" in refused.err) == (2, False)
