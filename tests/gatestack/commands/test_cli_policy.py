"""`policy` and `deployment.policy`: rules of a team's own, told and enforced before AWS is asked."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.command import User
from tests.generator import finding_documents, policy_programs
from tests.generator.policy_programs import CHECK, RULE

KEY = "\ndeployment:\n  policy: ../rules\n"


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> User:
    """A team with a rule that `dev` fails, which the files that extend base.yaml have to keep. No AWS."""
    folder = tmp_path_factory.mktemp("team")
    programs = policy_programs.put(folder / "bin")
    user = User.at(folder, PATH=f"{programs}:/usr/bin:/bin")
    policy_programs.rules(folder / "rules", team_guard=RULE)
    (folder / "environments" / "base.yaml").write_text(f"tier: dev\ndatabase:\n  multi_az: false\n{KEY}")
    (folder / "environments" / "held.yaml").write_text(
        "extends: base.yaml\nsystem: litellm\nenvironment: held\n"
    )
    return user


def test_policy_names_rule_resource_and_key(team: User) -> None:
    done = team.run("policy", "dev", "--rules", "rules")

    assert done.code == 1
    assert done.out == (
        "database.json: Resources/Database/Properties/MultiAZ: standby error: Every database has a standby"
        " (change database.multi_az)\n"
    )
    assert "5 templates, 1 findings" in done.err


@pytest.mark.parametrize("style", ["sarif", "json", "junit", "github"])
def test_policy_speaks_to_tools_with_the_line_of_the_file_that_says_it(team: User, style: str) -> None:
    done = team.run("policy", "held", "--format", style)

    assert done.code == 1
    if style == "sarif":
        (result,) = finding_documents.sarif(done.out)
        assert finding_documents.place(result) == ("environments/base.yaml", 3)
    elif style == "json":
        assert json.loads(done.out)["environments"][0]["findings"][0]["line"] == 3
    elif style == "junit":
        assert finding_documents.junit(done.out)[0].attrib["failures"] == "1"
    else:
        assert done.out.startswith("::error file=environments/base.yaml,line=3::standby database: ")


@pytest.mark.parametrize(
    "command",
    [
        ("plan", "held"),
        ("deploy", "held", "--yes"),
        ("generate", "held"),
        ("deploy", "held", "--yes", "--only", "alb"),
    ],
)
def test_what_would_deploy_is_refused_before_a_login_is_looked_for(
    team: User, command: tuple[str, ...]
) -> None:
    done = team.run(*command)

    assert (done.code, done.out) == (2, "")
    assert (
        "environments/base.yaml:3: standby database: Resources/Database/Properties/MultiAZ: Every" in done.err
    )
    assert "1 finding by the rules of rules (deployment.policy): nothing was changed" in done.err
    assert "credentials" not in done.err
    assert not (team.folder / "build").exists()


def test_an_agent_shows_the_finding_at_its_line(team: User) -> None:
    agent = replace(team, variables=team.variables | {"GITHUB_ACTIONS": "true"})

    assert "::error file=environments/base.yaml,line=3::standby database" in agent.run("plan", "held").err


def test_what_keeps_the_rules_goes_on(team: User, tmp_path: Path) -> None:
    (team.folder / "environments" / "kept.yaml").write_text(
        "extends: base.yaml\nsystem: litellm\nenvironment: kept\ndatabase: {multi_az: true}\n"
    )

    assert team.run("policy", "kept").code == 0
    assert "there are no AWS credentials" in team.run("plan", "kept").err
    assert team.run("generate", "kept", "--out", str(tmp_path / "kept")).code == 0
    assert team.run("policy", str(tmp_path / "kept"), "--rules", "rules").code == 0


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("../none", "environments/odd.yaml:5: deployment.policy: none: no such folder; the path begins at"),
        ("base.yaml", "environments/odd.yaml:5: deployment.policy: environments/base.yaml: no folder"),
        ("/rules", "environments/odd.yaml:5: deployment.policy: write the path from this file on"),
        ("../bin", "the rules cannot be run: bin: no rules"),
    ],
)
def test_rules_that_cannot_be_used_are_refused(team: User, said: str, words: str) -> None:
    (team.folder / "environments" / "odd.yaml").write_text(
        f"system: litellm\nenvironment: odd\ntier: dev\ndeployment:\n  policy: {said}\n"
    )
    done = team.run("plan", "odd")

    assert done.code == 2
    assert words in done.err


def test_without_rules_or_a_program_it_says_what_to_do(team: User) -> None:
    bare = replace(team, variables=team.variables | {"PATH": "/nowhere"})

    named, missing = team.run("policy", "dev"), bare.run("policy", "held")
    assert (named.code, missing.code) == (2, 2)
    assert "give --rules DIR, or write deployment.policy in its file" in named.err
    assert "cfn-guard is not installed: put cfn-guard 3 on PATH" in missing.err


def test_a_check_of_checkov_is_one_more_rule(team: User, tmp_path: Path) -> None:
    policy_programs.rules(tmp_path / "both", team_guard=RULE, logs_yaml=CHECK)
    done = team.run("policy", "dev", "--rules", str(tmp_path / "both"))

    assert "with cfn-guard and checkov" in done.err
    assert {line.split(": ")[2].split()[0] for line in done.out.splitlines()} == {"standby", "TEAM_1"}
