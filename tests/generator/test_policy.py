"""A team's own rules: what is read of a folder, and what the programs say of templates."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from generator.manifest import Manifest, StackSpec
from generator.policy import guard
from generator.policy.programs import ScanError, answered, installed
from generator.policy.rules import judged, read_rules
from tests.generator import policy_programs
from tests.generator.policy_programs import CHECK, HERE, RULE

SHAPES = json.loads((HERE / "cfn_guard_shapes.json").read_text())
"""What cfn-guard 3.1.1 says of one database by the rules of shapes.guard."""
DATABASE = {"Type": "AWS::RDS::DBInstance", "Properties": {"MultiAZ": False}}
LOG = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 14}}


def manifest(**resources: object) -> Manifest:
    texts = {"alb": {}, "database": resources}
    stacks = tuple(
        StackSpec(name, f"dev-{name}", json.dumps({"Resources": one})) for name, one in texts.items()
    )
    return Manifest("dev", "litellm", "us-east-1", None, production=False, stacks=stacks)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both programs are installed."""
    programs = policy_programs.put(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(programs), prepend=":")


def test_each_clause_that_does_not_hold_is_told_with_its_property() -> None:
    found = [
        (one.rule, one.path.removeprefix("Resources/Database/Properties/"), one.message)
        for one in guard.failures(SHAPES, [HERE / "shapes.guard"])
    ]

    assert found == [
        ("standby", "MultiAZ", "Every database has a standby"),
        (
            "classes",
            "DBInstanceClass",
            '%databases[*].Properties.DBInstanceClass IN ["db.m7g.large","db.r7g.large"]',
        ),
        ("missing", "MonitoringRoleArn", "%databases[*].Properties.MonitoringRoleArn EXISTS"),
        ("block", "BackupRetentionPeriod", "BackupRetentionPeriod GREATER THAN EQUALS 14"),
        ("block", "StorageType", 'StorageType EQUALS "io1"'),
        ("block", "StorageType", 'StorageType EQUALS "io2"'),
        ("depends", "Resources", "the other rule"),
        ("called", "Resources/Gone", "%one EXISTS"),
    ]


def test_a_rule_that_was_not_run_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "more.guard").write_text("rule another_one { Resources exists }\n")

    with pytest.raises(ScanError, match=r"has not run the rule another_one on database\.json"):
        list(guard.failures(SHAPES, [HERE / "shapes.guard", tmp_path / "more.guard"]))


@pytest.mark.parametrize("document", [[{}], [[]], [{"not_compliant": [{}]}]], ids=str)
def test_what_is_no_report_proves_nothing(document: list[object]) -> None:
    with pytest.raises(ScanError, match="not its structured report"):
        list(guard.failures(document, []))


@pytest.mark.usefixtures("path")
def test_findings_of_both_programs_name_rule_resource_and_key(tmp_path: Path) -> None:
    folder = policy_programs.rules(tmp_path / "rules", team_guard=RULE)
    policy_programs.rules(folder / "checks", logs_yaml=CHECK, more_py="")
    found = judged(read_rules(folder), manifest(Database=DATABASE, Log=LOG))

    assert [(one.stack, one.logical_id, one.rule, one.setting) for one in found] == [
        ("database", "Log", "TEAM_1", "observability.log_retention_days"),
        ("database", "Database", "standby", "database.multi_az"),
    ]
    assert str(found[1]) == (
        "database.json: Resources/Database/Properties/MultiAZ: standby error: Every database has a standby"
        " (change database.multi_az)"
    )
    kept = {"Properties": {"MultiAZ": True}}, {"Properties": {"RetentionInDays": 30}}
    assert judged(read_rules(folder), manifest(Database=DATABASE | kept[0], Log=LOG | kept[1])) == ()


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"team_guard": f"# BROKEN\n{RULE}"}, "cannot use a rule file: Parsing error"),
        ({"team_py": "# BROKEN"}, "checkov cannot load a check: Cannot load external check 'broken'"),
    ],
    ids=["cfn-guard", "checkov"],
)
def test_a_rule_that_its_program_leaves_out_is_no_pass(
    files: dict[str, str], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ScanError, match=words):
        judged(read_rules(policy_programs.rules(tmp_path / "rules", **files)), manifest(Log=LOG))


@pytest.mark.usefixtures("path")
def test_rules_run_without_credentials_and_without_the_user_s_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    monkeypatch.setenv("HOME", str(tmp_path / "mine"))
    folder = policy_programs.rules(tmp_path / "rules", team_guard=f"# SPILL\n{RULE}")

    with pytest.raises(ScanError, match="no secret") as refused:
        judged(read_rules(folder), manifest(Log=LOG))
    assert str(tmp_path / "mine") not in str(refused.value)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no rules: .*guard are cfn-guard's"),
        ({"README_md": "x"}, "no rules"),
        ({"team_yaml": "a: ["}, "team.yaml: not YAML"),
        ({"team_yaml": "a: 1"}, "team.yaml: no check of checkov's: it has no metadata.id"),
    ],
    ids=str,
)
def test_a_folder_without_rules_and_one_that_cannot_be_read_are_refused(
    files: dict[str, str], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ScanError, match=words):
        read_rules(policy_programs.rules(tmp_path / "rules", **files))


def test_a_program_that_is_not_installed_is_told_with_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for files in ({"team_guard": RULE}, {"team_yaml": CHECK}):
        rules = read_rules(policy_programs.rules(tmp_path / "-".join(files), **files))
        with pytest.raises(ScanError, match=r"(cfn-guard|checkov) is not installed: .*PATH"):
            judged(rules, manifest(Log=LOG))
    (tmp_path / "beside").write_text("")
    assert installed("cfn-guard", tmp_path / "beside", "") == tmp_path / "beside"


def test_a_program_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="none cannot be started: No such file"):
        answered([str(tmp_path / "none")], tmp_path, {0})


@pytest.mark.deep
def test_cfn_guard_itself_says_what_was_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program that `make scan` installs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    shutil.copy(HERE / "shapes.guard", policy_programs.rules(tmp_path / "rules"))
    properties = {
        "MultiAZ": False,
        "DBInstanceClass": "db.t3.micro",
        "BackupRetentionPeriod": 7,
        "StorageType": "gp3",
    }
    found = judged(read_rules(tmp_path / "rules"), manifest(Database=DATABASE | {"Properties": properties}))

    recorded = sorted((one.rule, one.message) for one in guard.failures(SHAPES, [HERE / "shapes.guard"]))
    assert sorted((one.rule, one.message) for one in found if one.stack == "database") == recorded
    (tmp_path / "rules" / "broken.guard").write_text("rule x {{{")
    with pytest.raises(ScanError, match=r"cannot use a rule file: .*broken\.guard"):
        judged(read_rules(tmp_path / "rules"), manifest(Database=DATABASE))


@pytest.mark.deep
def test_checkov_itself_runs_a_team_s_checks(tmp_path: Path) -> None:
    """The program that `make scan` installs."""
    check = CHECK.replace("TEAM_1", "TEAM_2").replace("RetentionInDays", "KmsKeyId")
    rules = policy_programs.rules(
        tmp_path / "rules", logs_yaml=CHECK, more_yaml=check.replace("greater_than_or_equal", "exists")
    )
    found = judged(read_rules(rules), manifest(Log=LOG))

    assert [(one.rule, one.logical_id, one.setting) for one in found] == [
        ("TEAM_1", "Log", "observability.log_retention_days"),
        ("TEAM_2", "Log", None),
    ]
