"""The scan's judgement: what the scanners found against what is accepted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from security import cfn_guard, checkov, scan
from security.judge import Acceptance, judge, read_acceptances
from security.scanner import Environment, Finding, Report, ScanError, Scanner

RECORDED = json.loads((Path(__file__).parent / "checkov_report.json").read_text())

REASON = "an example that is long enough to be a reason for somebody who reviews it"
PROD = Environment("prod", "litellm", "production")
DEV = Environment("dev", "litellm", "dev")
BOTH = (DEV, PROD)


def finding(
    environment: str = "prod", place: str = "alb/AccessLogBucket", check: str = "CKV_AWS_18"
) -> Finding:
    return Finding(check, environment, place, "Ensure the S3 bucket has access logging enabled")


def accepted(**narrower: Any) -> Acceptance:
    given = {"checks": ("CKV_AWS_18",), "at": ("alb/AccessLogBucket",), "reason": REASON}
    return Acceptance(**given | narrower)


def test_a_finding_without_a_reason_is_told() -> None:
    verdict = judge([finding()], [], BOTH)

    assert (verdict.unexplained, verdict.stale) == ((finding(),), ())


def test_a_reason_explains_its_own_check_at_its_own_place_in_every_environment() -> None:
    verdict = judge([finding("dev"), finding("prod")], [accepted()], BOTH)

    assert (verdict.unexplained, verdict.stale) == ((), ())


@pytest.mark.parametrize(
    "other",
    [
        finding(check="CKV_AWS_21"),
        finding(place="security/ConfigBucket"),
        finding(place="security/AccessLogBucket"),
    ],
    ids=["check", "resource", "stack"],
)
def test_a_reason_explains_nothing_else(other: Finding) -> None:
    assert judge([finding(), other], [accepted()], BOTH).unexplained == (other,)


@pytest.mark.parametrize(
    "narrower",
    [
        {"environments": ("prod",)},
        {"tiers": ("production",)},
        {"systems": ("litellm",), "tiers": ("production",)},
    ],
    ids=" ".join,
)
def test_a_reason_can_be_kept_to_some_environments(narrower: dict[str, tuple[str, ...]]) -> None:
    verdict = judge([finding("dev"), finding("prod")], [accepted(**narrower)], BOTH)

    assert (verdict.unexplained, verdict.stale) == ((finding("dev"),), ())


@pytest.mark.parametrize(
    ("narrower", "word"),
    [
        ({"at": ("alb/AccessLogBucket", "alb/Gone")}, "CKV_AWS_18: at alb/Gone"),
        ({"environments": ("prod", "dev")}, "CKV_AWS_18: environments dev"),
        ({"tiers": ("production", "dev")}, "CKV_AWS_18: tiers dev"),
        ({"systems": ("litellm", "llm-proxy")}, "CKV_AWS_18: systems llm-proxy"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_word_of_a_reason_that_nothing_bears_out_is_told(
    narrower: dict[str, tuple[str, ...]], word: str
) -> None:
    assert judge([finding("prod")], [accepted(**narrower)], BOTH).stale == (word,)


def test_one_reason_can_explain_what_both_scanners_ask() -> None:
    both = accepted(checks=("CKV_AWS_18", "CT.S3.PR.2"))
    found = [finding(), finding(check="CT.S3.PR.2")]

    assert judge(found, [both], BOTH) == judge([], [], BOTH)
    assert judge(found[:1], [both], BOTH).stale == ("CT.S3.PR.2: at alb/AccessLogBucket",)


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ("check: CKV_AWS_18, at: [alb/X]", "needs check, at, reason"),
        (f"check: CKV_AWS_18, at: [alb/X], reason: {REASON}, until: 2027", "may have environments"),
        ("check: CKV_AWS_18, at: [alb/X], reason: by design", "more words"),
        (f"check: CKV_AWS_18, at: alb/X, reason: {REASON}", "at is a list of names"),
        (f"check: CKV_AWS_18, at: [], reason: {REASON}", "list of names"),
        (f"check: CKV_AWS_18, at: [X], reason: {REASON}", "stack/LogicalId"),
        (f"check: CKV_AWS_18, at: [alb/*], reason: {REASON}", "stack/LogicalId"),
    ],
)
def test_an_entry_that_says_too_little_or_too_much_is_refused(entry: str, wrong: str) -> None:
    with pytest.raises(ScanError, match=rf"entry 1 \(CKV_AWS_18\): .*{wrong}"):
        read_acceptances(f"- {{{entry}}}")


@pytest.mark.parametrize("text", ["CKV_AWS_18", "- just words", "- {", "{}: 1"])
def test_what_is_no_list_of_entries_is_refused(text: str) -> None:
    with pytest.raises(ScanError):
        read_acceptances(text)


def test_what_we_accept_can_be_read_and_says_nothing_twice() -> None:
    acceptances = read_acceptances(scan.ACCEPTED.read_text())

    pairs = [
        (check, place, one.environments, one.systems, one.tiers)
        for one in acceptances
        for check in one.checks
        for place in one.at
    ]
    assert len(pairs) == len(set(pairs)) > 0


def test_every_environment_that_is_scanned_renders_and_the_accounts_own_stack_is_among_them() -> None:
    scanned = {
        environment.name: [spec.name for spec in manifest.stacks]
        for environment, manifest in scan.manifests()
    }

    assert {path.stem for path in scan.environment_files()} | {"watched-account"} == scanned.keys()
    assert scanned["watched-account"] == ["bootstrap"]
    assert scanned["prod"] == ["security", "network", "alb", "database", "service"]


def found(*findings: Finding) -> Scanner:
    """A scanner that finds these, whatever it is given."""
    return Scanner("mine", lambda folder, environments: Report("mine 1.0", 7, findings))


def test_what_is_found_and_what_is_no_longer_found_is_told_with_what_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = scan.main([found(), found(finding(check="CKV_AWS_999"))])

    out = capsys.readouterr().out
    assert code == 1
    assert "mine 1.0: 7 checks passed, 1 failed" in out
    assert "CKV_AWS_999 prod: alb/AccessLogBucket: Ensure the S3 bucket has access logging enabled" in out
    assert "mend what builds it (stacks/parts), or give the reason in security/accepted.yaml" in out
    assert "CKV_AWS_18: at security/ConfigBucket: nothing is found there; take it out" in out


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (json.dumps(RECORDED), "checkov has looked at 2 of"),
        ("no such option: --skip-download", "no report: no such option: --skip-download"),
    ],
)
def test_one_scanner_that_went_wrong_is_no_pass(
    tmp_path: Path, said: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "checkov"
    (tmp_path / "said").write_text(said)
    program.write_text(f"#!/bin/sh\ncat '{tmp_path}/said'\n")
    program.chmod(0o755)

    assert scan.main([found(), checkov.scanner(program)]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("scanner", [checkov.scanner, cfn_guard.scanner])
def test_without_a_scanner_it_says_how_to_get_it(
    scanner: Callable[[Path], Scanner], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scan.main([scanner(tmp_path / "none")]) == 2
    assert "`make scan` installs it" in capsys.readouterr().err
