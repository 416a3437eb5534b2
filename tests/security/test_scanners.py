"""What the scanners say, read as they write it; `make scan` runs the programs themselves."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from security import cfn_guard, checkov
from security.deployed import deployed
from security.scanner import Environment, Finding, Report, ScanError, Scanner

CHECKOV = json.loads((Path(__file__).parent / "checkov_report.json").read_text())
"""What checkov 3.3.30 says of two resources, cut to three checks."""
CFN_GUARD = json.loads((Path(__file__).parent / "cfn_guard_report.json").read_text())
"""What cfn-guard 3.1.1 says of two buckets with three of AWS's rules, cut to one clause."""
PROD = Environment("prod", "litellm", "production", resources=2)

# checkov


def test_the_report_tells_check_environment_stack_and_resource() -> None:
    assert checkov.read_report(CHECKOV, resources=2) == Report(
        "checkov 3.3.30",
        2,
        (
            Finding(
                "CKV_AWS_18",
                "prod",
                "security/ConfigBucket",
                "Ensure the S3 bucket has access logging enabled",
            ),
        ),
    )


@pytest.mark.parametrize(
    ("seen", "broken"), [({"parsing_errors": 1}, 1), ({"resource_count": 1}, 0)], ids=str
)
def test_a_scan_that_has_not_looked_at_everything_proves_nothing(seen: dict[str, int], broken: int) -> None:
    answer = CHECKOV | {"summary": CHECKOV["summary"] | seen}

    with pytest.raises(ScanError, match=f"of 2 resources and failed to read {broken} templates"):
        checkov.read_report(answer, resources=2)


@pytest.mark.parametrize("answer", [[], {}, {"passed": 0, "failed": 0}, [CHECKOV]], ids=str)
def test_an_answer_that_is_no_report_proves_nothing(answer: object) -> None:
    with pytest.raises(ScanError, match="not the report"):
        checkov.read_report(answer, resources=2)


# cfn-guard


def test_awss_rules_tell_their_id_what_they_mean_and_the_resource_that_fails() -> None:
    assert cfn_guard.read_answer(CFN_GUARD, ["prod/security"], rules=3) == (
        1,
        [
            Finding(
                "CT.S3.PR.2",
                "prod",
                "security/ConfigBucket",
                "Require an Amazon S3 bucket to have server access logging configured",
            )
        ],
    )


@pytest.mark.parametrize(
    ("templates", "rules", "words"),
    [
        (["prod/alb", "prod/security"], 3, "prod/alb with 0 of 3 rules"),
        (["prod/security"], 4, "prod/security with 3 of 4 rules"),
    ],
    ids=["a template", "a rule"],
)
def test_a_template_or_a_rule_that_was_left_out_proves_nothing(
    templates: list[str], rules: int, words: str
) -> None:
    with pytest.raises(ScanError, match=words):
        cfn_guard.read_answer(CFN_GUARD, templates, rules)


@pytest.mark.parametrize("answer", [{}, [[]], [{"name": "prod/alb.json"}]], ids=str)
def test_what_is_no_structured_report_of_cfn_guard_proves_nothing(answer: Any) -> None:
    with pytest.raises(ScanError, match="cfn-guard"):
        cfn_guard.read_answer(answer, ["prod/alb"], rules=1)


def test_a_rule_that_fails_nowhere_proves_nothing() -> None:
    rule = {"name": "odd_check", "checks": []}
    answer = [{**CFN_GUARD[0], "not_compliant": [{"Rule": rule}]}]

    with pytest.raises(ScanError, match="does not say where odd_check fails in prod/security"):
        cfn_guard.read_answer(answer, ["prod/security"], rules=3)


SPEAKS = """#!{python}
import json, sys
rules, data = (sys.argv.index(word) for word in ("--rules", "--data"))
names = [one.rpartition("/")[2] for one in sys.argv[rules + 1 : data]]
print(json.dumps([
    {{"name": one, "compliant": names, "not_applicable": [], "not_compliant": []}}
    for one in sys.argv[data + 1 :]
]))
sys.exit({code})
"""


def stand_in(folder: Path, code: int = 0) -> Scanner:
    """cfn-guard with two rules and a program that holds both to be kept."""
    program = folder / "bin" / "ubuntu" / "x86_64" / "cfn-guard"
    program.parent.mkdir(parents=True)
    program.write_text(SPEAKS.format(python=sys.executable, code=code))
    program.chmod(0o755)
    for name, of in {"buckets": "AWS::S3::Bucket", "streams": "AWS::Kinesis::Stream"}.items():
        (folder / "rules").mkdir(exist_ok=True)
        (folder / "rules" / f"{name}.guard").write_text(f'let KIND = "{of}"\n')
    for name in ("guard-version.json", "package.json"):
        (folder / name).write_text('{"version": "1.2.3"}')
    return cfn_guard.scanner(folder, ("Linux", "x86_64"))


def laid(folder: Path) -> Path:
    (folder / "prod").mkdir(parents=True)
    for stack, kind in {"security": "AWS::S3::Bucket", "network": "AWS::EC2::VPC"}.items():
        template = {"Resources": {"One": {"Type": kind}}}
        (folder / "prod" / f"{stack}.json").write_text(json.dumps(template))
    return folder


def test_a_template_is_looked_at_with_the_rules_that_name_one_of_its_types(tmp_path: Path) -> None:
    report = stand_in(tmp_path / "package").look(laid(tmp_path / "scan"), [PROD])

    assert report == Report("cfn-guard 1.2.3 with AWS Control Tower's rules (1.2.3)", 1, ())


def test_rules_that_cannot_be_read_prove_nothing(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="cfn-guard ended with 5"):
        stand_in(tmp_path / "package", code=5).look(laid(tmp_path / "scan"), [PROD])


def test_a_machine_that_aws_ships_no_program_for_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match=r"no cfn-guard for Windows on AMD64: scan on Linux or macOS"):
        cfn_guard.scanner(tmp_path, ("Windows", "AMD64")).look(tmp_path, [])


# what a rule of AWS's sees


TEMPLATE = {
    "Parameters": {"Size": {"Type": "String", "Default": "20"}, "Zone": {"Type": "String"}},
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Key": {"Type": "AWS::KMS::Key"},
    },
}


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ({"Fn::ImportValue": "prod-security-KeyArn"}, "prod-security-KeyArn"),
        ({"Ref": "AWS::AccountId"}, "123456789012"),
        ({"Ref": "Size"}, "20"),
        ({"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}, "arn:aws:iam::123456789012:root"),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "arn:aws:s3:::bucket"),
        ({"Fn::Sub": "${Bucket.Arn}/*"}, "arn:aws:s3:::bucket/*"),
        ({"Fn::Sub": ["${A}/${!B}", {"A": {"Fn::ImportValue": "export"}}]}, "export/${!B}"),
        ([{"Deep": {"Ref": "Size"}}], [{"Deep": "20"}]),
    ],
    ids=str,
)
def test_what_is_certain_before_a_stack_is_made_is_a_value(value: Any, seen: Any) -> None:
    assert deployed_value(value) == seen


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Key"},
        {"Ref": "Zone"},
        {"Fn::GetAtt": ["Key", "Arn"]},
        {"Fn::If": ["Yes", "a", "b"]},
        {"Fn::ImportValue": {"Fn::Split": ["-", "a-b"]}},
    ],
    ids=str,
)
def test_everything_else_stays_as_the_template_has_it(value: Any) -> None:
    assert deployed_value(value) == value


def deployed_value(value: Any) -> Any:
    resources = {**TEMPLATE["Resources"], "One": {"Type": "AWS::X::Y", "Properties": {"V": value}}}
    return deployed({**TEMPLATE, "Resources": resources})["Resources"]["One"]["Properties"]["V"]
