"""A team's own rules on the templates of an environment: one folder, two kinds of rules, one result."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from generator.lint import Finding, setting_of, with_patches
from generator.manifest import Manifest, StackSpec
from generator.policy import checkov, guard
from generator.policy.programs import ScanError, installed


@dataclass(frozen=True)
class Rules:
    """What a folder has for each program."""

    folder: Path
    guard: tuple[Path, ...]
    """Rule files of cfn-guard."""
    python: tuple[Path, ...]
    """Checks of checkov's in Python."""
    yaml: tuple[tuple[Path, str], ...]
    """Those in YAML, with their ids."""

    @property
    def programs(self) -> str:
        """The programs that run them, as text."""
        checks = len(self.python) + len(self.yaml)
        both = ("cfn-guard" if self.guard else "", "checkov" if checks else "")
        return " and ".join(filter(None, both))


def read_rules(folder: Path) -> Rules:
    """
    Return the rules in *folder* and the folders below it.

    Raises:
        ScanError: there is no such folder, or a file of it cannot be read, or no file of it is a rule.

    """
    if not folder.is_dir():
        raise ScanError(f"{folder}: no such folder")
    try:
        files = sorted(path for path in folder.rglob("*") if path.is_file() and not _hidden(path, folder))
        python = tuple(one for one in files if one.suffix == ".py" and one.name != "__init__.py")
        checks = tuple((one, _id(one)) for one in files if one.suffix in {".yaml", ".yml"})
    except OSError as error:
        raise ScanError(f"{error.filename}: cannot be read: {error.strerror}") from error
    rules = Rules(folder, tuple(one for one in files if one.suffix == ".guard"), python, checks)
    if not rules.programs:
        raise ScanError(
            f"{folder}: no rules: *.guard are cfn-guard's, *.py and *.yaml are checks of checkov's"
        )
    return rules


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith((".", "__pycache__")) for part in path.relative_to(folder).parts)


def _id(path: Path) -> str:
    """Return the id of a check in YAML (checkov, "YAML Custom Policies"); raises ScanError."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        return str(document["metadata"]["id"])
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ScanError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    except (KeyError, TypeError) as error:
        raise ScanError(f"{path}: no check of checkov's: it has no metadata.id") from error


def judged(rules: Rules, manifest: Manifest) -> tuple[Finding, ...]:
    """
    Return where the templates of *manifest* fail *rules*, stack by stack.

    Raises:
        ScanError: a program is not installed, or its output is inconclusive.

    """
    with TemporaryDirectory(prefix="gatestack-policy-") as folder:
        place = Path(folder)
        templates = place / "templates" / manifest.environment
        templates.mkdir(parents=True)
        for stack in manifest.stacks:
            (templates / f"{stack.name}.json").write_text(stack.template, encoding="utf-8")
        stacks = {stack.name: _Read(stack, _resources(stack)) for stack in manifest.stacks}
        found = [*_by_guard(rules, stacks, templates), *_by_checkov(rules, stacks, place)]
    order = list(stacks)
    return tuple(sorted(found, key=lambda one: (order.index(one.stack), one.rule, one.path)))


@dataclass(frozen=True)
class _Read:
    """A stack with the resources of its template, by logical id."""

    stack: StackSpec
    resources: Mapping[str, Any]


def _resources(stack: StackSpec) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(stack.template).get("Resources", {})
    return found


def _by_guard(rules: Rules, stacks: Mapping[str, _Read], templates: Path) -> Iterator[Finding]:
    if not rules.guard:
        return
    program = installed("cfn-guard", guard.beside(), guard.INSTALL)
    files = [path.absolute() for path in rules.guard]
    paths = [templates / f"{name}.json" for name in stacks]
    document = guard.report(program, files, paths, templates)
    if {Path(entry["name"]).stem for entry in document if "name" in entry} != stacks.keys():
        raise ScanError("cfn-guard has not looked at every template")
    for one in guard.failures(document, files):
        yield _finding(stacks[one.template.stem], one.rule, one.path, one.message)


def _by_checkov(rules: Rules, stacks: Mapping[str, _Read], place: Path) -> Iterator[Finding]:
    if not rules.python and not rules.yaml:
        return
    program = installed("checkov", checkov.BESIDE, checkov.INSTALL)
    folders = _copied(rules, place / "checks")
    resources = sum(len(one.resources) for one in stacks.values())
    seen = checkov.look(program, place / "templates", resources, folders)
    for one in checkov.own(seen.failures, {name for _, name in rules.yaml}):
        path = "/".join(filter(None, ("Resources", one.logical_id, one.property)))
        yield _finding(stacks[Path(one.file).stem], one.check, path, one.meaning)


def _copied(rules: Rules, place: Path) -> Sequence[Path]:
    """Return folders of the checks alone: Python ones are loaded only if an __init__.py is beside them."""
    folders = []
    for path in (*rules.python, *(path for path, _ in rules.yaml)):
        folder = place / path.parent.relative_to(rules.folder)
        if folder not in folders:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "__init__.py").touch()
            folders.append(folder)
        shutil.copyfile(path, folder / path.name)
    return folders


def _finding(read: _Read, rule: str, path: str, message: str) -> Finding:
    stack, parts = read.stack, path.split("/")
    resource = read.resources.get(parts[1]) if parts[0] == "Resources" and len(parts) > 1 else None
    if resource is None:
        return Finding(stack.name, None, "Resources", rule, "error", message, setting_of(rule, "", ()))
    setting = setting_of(rule, str(resource.get("Type", "")), parts)
    return with_patches(Finding(stack.name, parts[1], path, rule, "error", message, setting), stack)
