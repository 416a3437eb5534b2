"""Runs cfn-guard and reads where each rule fails from its structured report, version 3."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.policy.programs import ScanError, answered, cut, packaged_guard, told

HOW = ("--output-format", "json", "--structured", "--show-summary", "none")
ENDS = (0, 19)
"""All rules hold; one does not. An unreadable rule gives 5, if no other fails."""
INSTALL = (
    "put cfn-guard 3 on PATH, as https://docs.aws.amazon.com/cfn-guard/latest/ug/setting-up.html says, "
    "or take its rule files away"
)
PACKAGE = Path(".cfn-guard") / "package"
"""In gatestack's own checkout, `make scan` puts AWS's package with the program there."""
_NAMED = re.compile(r"(?m)^[ \t]*rule[ \t]+(\w+)\s*(?:when\b|\{)")
"""A rule that is run by itself; one with parameters is not."""
_PROPERTY = re.compile(r"\w+")


@dataclass(frozen=True, order=True)
class Failure:
    """One clause of a rule that does not hold."""

    rule: str
    template: Path
    path: str
    """``Resources/Database/Properties/MultiAZ``; as deep as it is known."""
    message: str


def beside() -> Path:
    """Return the program's path in a checkout, existing or not; none where AWS ships no program."""
    try:
        return packaged_guard(PACKAGE)
    except ScanError:
        return PACKAGE


def report(program: Path, rules: Sequence[Path], templates: Sequence[Path], folder: Path) -> list[Any]:
    """
    Return what cfn-guard says of each of *templates* by *rules*; *folder* is where it runs.

    Raises:
        ScanError: it failed, or cannot read one of the rule files, which it says on stderr alone.

    """
    files = ["--rules", *map(str, rules), "--data", *map(str, templates)]
    answer = answered([str(program), "validate", *HOW, *files], folder, ENDS)
    if answer.remarks.strip():
        raise ScanError(f"cfn-guard cannot use a rule file: {told(answer.remarks)}")
    if not isinstance(answer.document, list):
        raise ScanError("cfn-guard's answer is not its structured report")
    return answer.document


def failures(document: Sequence[Any], rules: Sequence[Path]) -> Iterator[Failure]:
    """
    Yield each clause of *rules* that does not hold.

    Raises:
        ScanError: *document* is no report of theirs, or a rule has not checked a template.

    """
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in rules)
    wanted = {name for text in texts for name in _NAMED.findall(text)}
    try:
        for entry in document:
            failed = [one["Rule"] for one in entry["not_compliant"]]
            seen = {*entry["compliant"], *entry["not_applicable"], *(one["name"] for one in failed)}
            if missing := sorted(wanted - seen):
                raise ScanError(f"cfn-guard has not run the rule {missing[0]} on {Path(entry['name']).name}")
            for rule in failed:
                yield from _of_rule(rule, Path(entry["name"]))
    except (KeyError, TypeError) as error:
        raise ScanError(f"cfn-guard's answer is not its structured report: {error!r}") from error


def _of_rule(rule: Mapping[str, Any], template: Path) -> Iterator[Failure]:
    said = {Failure(rule["name"], template, *one) for one in _clauses(rule["checks"])}
    if not said:
        said = {Failure(rule["name"], template, "Resources", "does not hold")}
    yield from sorted(said)


def _clauses(node: Any) -> Iterator[tuple[str, str]]:
    """Yield place and message of each clause below *node* that failed."""
    if isinstance(node, list):
        for one in node:
            yield from _clauses(one)
    elif isinstance(node, dict):
        judged = node.get("check", node.get("unresolved"))
        if judged is not None and "messages" in node:
            own = (node["messages"] or {}).get("custom_message") or ""
            yield _path(judged) or "Resources", cut(own) or cut(str(node.get("context") or "does not hold"))
        else:
            for one in node.values():
                yield from _clauses(one)


def _path(node: Any) -> str:
    """Return the place in the template that *node* begins with: where a value is, or where one is missing."""
    if isinstance(node, list):
        return next((found for one in node if (found := _path(one))), "")
    if not isinstance(node, dict):
        return ""
    here = node.get("path")
    if isinstance(here, str) and here.startswith("/Resources"):
        return here.strip("/")
    missing = node.get("remaining_query")
    for key, one in node.items():
        if found := _path(one):
            wanted = isinstance(missing, str) and key == "traversed_to" and _PROPERTY.match(missing)
            return f"{found}/{wanted[0]}" if wanted else found
    return ""
