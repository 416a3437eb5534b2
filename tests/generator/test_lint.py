"""`lint`: what is kept of findings, and templates that are looked at side by side."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from generator.forked import cores
from generator.kept_findings import Kept
from generator.lint import Finding, check
from generator.manifest import Manifest, StackSpec
from tests.places import ROOT

FORKS = sys.platform == "linux" and cores() > 1
TOPIC = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "x"}}}}
WRONG = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"Nonsense": "x"}}}}


def manifest(*templates: object) -> Manifest:
    stacks = tuple(
        StackSpec(f"s{place}", f"dev-s{place}", json.dumps(one)) for place, one in enumerate(templates)
    )
    return Manifest("dev", "litellm", "us-east-1", None, production=False, stacks=stacks)


def only_entry(folder: Path) -> Path:
    (entry,) = folder.iterdir()
    return entry


@pytest.fixture
def keep(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "lint", "cfn-lint 1")


def test_what_was_kept_is_found_again_and_nothing_else(keep: Kept) -> None:
    keep.put(["found"], "s0", "template", "us-east-1")

    assert keep.get("s0", "template", "us-east-1") == ["found"]
    assert keep.get("s0", "template ", "us-east-1") is None
    assert keep.get("s0", "template", "us-east-2") is None
    assert keep.get("s1", "template", "us-east-1") is None


def test_findings_of_another_cfn_lint_are_not_found(tmp_path: Path, keep: Kept) -> None:
    keep.put([], "template")

    assert keep.get("template") == []
    assert Kept(tmp_path / "lint", "cfn-lint 2").get("template") is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda entry: entry.write_text(""),
        lambda entry: entry.write_text("[]"),
        lambda entry: entry.write_text("{}"),
        lambda entry: entry.write_bytes(b"\xff\xfe"),
        lambda entry: entry.write_text(entry.read_text().replace("E3002", "E3003")),
        lambda entry: entry.write_text(json.dumps(json.loads(entry.read_text()) | {"found": []})),
        lambda entry: entry.write_text(json.dumps(json.loads(entry.read_text()) | {"name": "another"})),
        lambda entry: entry.chmod(0o666),
        lambda entry: entry.parent.chmod(0o777),
        lambda entry: entry.unlink(),
    ],
    ids=["empty", "list", "object", "bytes", "edited", "emptied", "renamed", "open", "open folder", "gone"],
)
def test_an_entry_that_cannot_be_trusted_is_not_there(damage: object, tmp_path: Path, keep: Kept) -> None:
    keep.put(["E3002"], "template")
    assert callable(damage)
    damage(only_entry(tmp_path / "lint"))

    assert keep.get("template") is None
    keep.put(["E3002"], "template")


def test_a_place_that_cannot_be_written_to_is_lived_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    keep = Kept(tmp_path / "file" / "lint", "")

    keep.put([], "template")

    assert keep.get("template") is None


def test_old_entries_are_removed(tmp_path: Path, keep: Kept) -> None:
    keep.put([], "old")
    os.utime(only_entry(tmp_path / "lint"), (0, 0))

    keep.put([], "new")

    assert keep.get("old") is None
    assert keep.get("new") == []


def test_findings_come_from_what_is_kept_and_are_the_same(keep: Kept) -> None:
    first = check(manifest(TOPIC, WRONG), keep=keep)

    assert [finding.rule for finding in first] == ["E3002"]
    assert check(manifest(TOPIC, WRONG), keep=keep) == first
    assert check(manifest(WRONG, WRONG), keep=keep) != first


def test_what_is_kept_is_believed_so_its_name_has_to_say_everything(keep: Kept) -> None:
    made_up = Finding("s0", None, "nowhere", "E9999", "error", "made up", None)
    one = manifest(TOPIC)
    keep.put([vars(made_up)], "s0", one.stacks[0].template, "us-east-1")

    assert check(one, keep=keep) == (made_up,)
    assert check(one) == ()


def test_an_entry_of_another_shape_is_worked_out_anew(keep: Kept) -> None:
    one = manifest(WRONG)
    keep.put([{"unknown": 1}], "s0", one.stacks[0].template, "us-east-1")

    assert [finding.rule for finding in check(one, keep=keep)] == ["E3002"]


def in_another_process(code: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


SIDE_BY_SIDE = """
import json, sys
from tests.generator.test_lint import TOPIC, WRONG, manifest
from generator import forked
from generator.lint import check
assert forked.safe() == (sys.platform == "linux")
those = manifest(TOPIC, WRONG, {"Resources": {"X": {"Type": "AWS::No::Such"}}}, WRONG, TOPIC, {})
one, three = check(those), check(those, processes=3)
assert one == three, (one, three)
print(len(one))
"""


def test_side_by_side_finds_the_same_in_the_same_order() -> None:
    assert int(in_another_process(SIDE_BY_SIDE)) >= 4


LOST = """
import os
from generator import forked
here = os.getpid()
def do(item):
    if os.getpid() != here:
        {end}
    return item * 2
print(forked.each(do, list(range(100)), 4))
"""


@pytest.mark.parametrize(
    "end", ["os._exit(0)", "os.kill(os.getpid(), 9)", "raise ValueError", "return object()"]
)
def test_what_a_lost_process_had_taken_is_done_here(end: str) -> None:
    assert in_another_process(LOST.format(end=end)).strip() == str([item * 2 for item in range(100)])


REFUSED = """
from generator import forked
def do(item):
    if item == 2:
        raise ValueError("no")
    return item
try:
    forked.each(do, [0, 1, 2, 3], {processes})
except ValueError as error:
    print(error)
"""


@pytest.mark.parametrize("processes", [1, 2, 8])
def test_what_goes_wrong_is_raised_here(processes: int) -> None:
    assert in_another_process(REFUSED.format(processes=processes)).strip() == "no"


AHEAD = """
import os
from generator import forked
def answer(question):
    {what}
    return [question, os.getpid()]
ask = forked.ahead(lambda: None, answer)
found, pid = ask("x" * 200_000)
print(len(found), pid != os.getpid())
"""


@pytest.mark.parametrize(
    ("what", "elsewhere"),
    [("pass", True), ("if os.getppid() == {here}: os._exit(1)", False)],
    ids=["asked", "lost"],
)
def test_what_is_begun_ahead_is_answered_even_where_it_is_lost(what: str, elsewhere: bool) -> None:  # noqa: FBT001
    code = "import os\nhere = os.getpid()\n" + AHEAD.format(what=what.replace("{here}", "here"))

    assert in_another_process(code).split() == ["200000", str(elsewhere and FORKS)]


def test_what_is_never_asked_ends_and_says_nothing() -> None:
    code = "from generator import forked; forked.ahead(lambda: print('here'), lambda _: None)"

    assert in_another_process(code) == ""


LINT = """
import resource, sys
from gatestack.__main__ import run
code = run(["lint", "dev"])
children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
print(code, "cfnlint" in sys.modules or children > 0)
"""


def test_an_unchanged_environment_is_linted_without_cfn_lint(tmp_path: Path) -> None:
    homes = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "caches")}

    assert in_another_process(LINT, **homes).split() == ["0", "True"]
    assert in_another_process(LINT, **homes).split() == ["0", "False"]


def test_nothing_is_kept_where_cfn_lint_is_configured(tmp_path: Path) -> None:
    homes = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "caches")}
    code = "from generator.kept_findings import kept; print(kept() is not None)"

    assert in_another_process(code, **homes).strip() == "True"
    (tmp_path / ".cfnlintrc").write_text("ignore_checks: [W]\n")
    assert in_another_process(code, **homes).strip() == "False"


def test_our_own_rules_and_newer_schemas_are_part_of_every_name(tmp_path: Path) -> None:
    rules = tmp_path / "rules.py"
    schemas = tmp_path / "aws" / "cfn-lint" / "schemas"
    for name in "providers", "resources":
        (schemas / name).mkdir(parents=True)
    code = f"""
from pathlib import Path
from generator.kept_findings import kept
print(kept(Path({str(rules)!r})).basis)
"""
    told = set()
    for rule, version in (("a", "1"), ("b", "1"), ("b", "2")):
        rules.write_text(rule)
        (schemas / "version.json").write_text(version)
        told.add(in_another_process(code, HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path)))

    assert len(told) == 3


def test_where_home_is_and_a_checkout_of_gatestack_itself_make_no_difference(tmp_path: Path) -> None:
    for home, package in (("one", "gatestack.egg-info"), ("other", "gatestack-1.0.dist-info")):
        (tmp_path / home / package).mkdir(parents=True)

    assert basis(tmp_path / "one") == basis(tmp_path / "other") == basis(tmp_path / "a third")


def test_any_other_package_makes_a_difference(tmp_path: Path) -> None:
    (tmp_path / "one" / "gatestack_rules-1.0.dist-info").mkdir(parents=True)

    assert basis(tmp_path / "one") != basis(tmp_path / "other")


def basis(home: Path) -> str:
    """What findings rest on for a user at *home*, where Python looks for packages too."""
    code = "from generator.kept_findings import kept; print(kept().basis)"
    path = os.pathsep.join([str(home), *sys.path])
    return in_another_process(code, HOME=str(home), PYTHONPATH=path)
