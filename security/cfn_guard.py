"""
cfn-guard with AWS Control Tower's rules for templates ("proactive controls"), as AWS's
cdk-validator-cfnguard carries both.

One process per kind of stack, with only those rules that name one of its resource types: the others do not
apply.
"""

from __future__ import annotations

import json
import platform
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from generator.policy import guard
from generator.policy.programs import packaged_guard
from security.deployed import deployed
from security.scanner import ROOT, Environment, Finding, Report, ScanError, Scanner

PACKAGE = ROOT / ".cfn-guard" / "package"
"""Of cdk-validator-cfnguard, unpacked."""
_RULE = re.compile(r"\[(CT\.[A-Z0-9.]+)\]: *(.+)")
"""What a rule says of itself when it fails: its id and its meaning."""
_QUOTED_TYPE = re.compile(r'"(AWS::\w+::\w+)"')


def scanner(package: Path = PACKAGE, machine: tuple[str, str] | None = None) -> Scanner:
    """
    Return cfn-guard with AWS's rules, unpacked in *package*.

    It runs on *machine*, a system and its processor (``Linux``, ``x86_64``); by default on this one.
    """
    here = machine or (platform.system(), platform.machine())

    def look(folder: Path, environments: Sequence[Environment]) -> Report:
        program, rules = _program(package, *here), dict(_rules(package))
        passed, findings = 0, list[Finding]()
        with TemporaryDirectory(prefix="gatestack-rules-") as place:
            for stack, types in _laid(folder, Path(place), environments).items():
                wanted = [path for path, named in rules.items() if named & types]
                templates = sorted(Path(place).glob(f"*/{stack}.json"))
                if not wanted:
                    continue
                answer = guard.report(program, wanted, templates, Path(place))
                held, found = read_answer(answer, [_where(one) for one in templates], len(wanted))
                passed, findings = passed + held, findings + found
        return Report(_version(package), passed, tuple(sorted(findings)))

    return Scanner("cfn-guard", look)


def read_answer(answer: Any, templates: Collection[str], rules: int) -> tuple[int, list[Finding]]:
    """
    Return how many rules hold in *templates* (``prod/alb``), and where the others do not.

    Raises:
        ScanError: it is no answer, or not each of so many *rules* has looked at each template.

    """
    try:
        seen = {
            _where(Path(one["name"])): {
                *one["compliant"],
                *one["not_applicable"],
                *(failed["Rule"]["name"] for failed in one["not_compliant"]),
            }
            for one in answer
        }
        passed = sum(len(one["compliant"]) for one in answer)
        findings = [
            finding
            for one in answer
            for failed in one["not_compliant"]
            for finding in _findings(_where(Path(one["name"])), failed["Rule"])
        ]
    except (KeyError, TypeError) as error:
        raise ScanError(f"cfn-guard's answer is not its structured report: {error!r}") from error
    for where in templates:
        if len(seen.get(where, ())) != rules:
            raise ScanError(
                f"cfn-guard has looked at {where} with {len(seen.get(where, ()))} of {rules} rules"
            )
    return passed, findings


def _findings(where: str, rule: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield a finding for each resource that fails *rule* in ``prod/alb``."""
    environment, stack = where.split("/")
    said = next((found for text in _under(rule, "custom_message") if (found := _RULE.search(text))), None)
    resources = {path.split("/")[2] for path in _under(rule, "path") if path.startswith("/Resources/")}
    if said is None or not resources:
        raise ScanError(f"cfn-guard does not say where {rule['name']} fails in {where}")
    for logical_id in resources:
        yield Finding(said[1], environment, f"{stack}/{logical_id}", said[2].strip())


def _under(node: Any, key: str) -> Iterator[str]:
    """Yield every text that is called *key*, however deep in *node*."""
    if isinstance(node, list):
        for one in node:
            yield from _under(one, key)
    if isinstance(node, dict):
        for name, one in node.items():
            if name == key and isinstance(one, str):
                yield one
            else:
                yield from _under(one, key)


def _where(template: Path) -> str:
    return f"{template.parent.name}/{template.stem}"


def _laid(folder: Path, place: Path, environments: Sequence[Environment]) -> Mapping[str, set[str]]:
    """Write all templates into *place* as AWS sees them deployed; return the types in each kind of stack."""
    types: dict[str, set[str]] = defaultdict(set)
    for environment in environments:
        (place / environment.name).mkdir()
        for path in sorted((folder / environment.name).glob("*.json")):
            template = json.loads(path.read_text(encoding="utf-8"))
            types[path.stem] |= {one["Type"] for one in template["Resources"].values()}
            text = json.dumps(deployed(template), indent=1)
            (place / environment.name / path.name).write_text(text, encoding="utf-8")
    return types


def _rules(package: Path) -> Iterator[tuple[Path, frozenset[str]]]:
    """Yield each rule's file with the types that it names."""
    for path in sorted((package / "rules").rglob("*.guard")):
        yield path, frozenset(_QUOTED_TYPE.findall(path.read_text(encoding="utf-8")))


def _program(package: Path, system: str, machine: str) -> Path:
    program = packaged_guard(package, system, machine)
    if not program.exists():
        raise ScanError(f"{program} is not there: `make scan` installs it")
    return program


def _version(package: Path) -> str:
    program = json.loads((package / "guard-version.json").read_text(encoding="utf-8"))["version"]
    rules = json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
    return f"cfn-guard {program} with AWS Control Tower's rules ({rules})"
