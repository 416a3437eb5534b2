"""
Loads an environment file: merges defaults, tier and file, and validates them; reports every problem at
once.

`stacks.inheritance` reads the files that it extends, `stacks.extensions.loading` those of its additions; no
other module of this package reads files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache, reduce
from pathlib import Path
from typing import Any, cast, get_args

import yaml
from pydantic import ValidationError

from stacks import inheritance
from stacks.bases import LOADER
from stacks.checking import limits, problems, subnets
from stacks.checking.problems import Finding, Place, Problem
from stacks.checking.together import findings
from stacks.checking.yaml_tree import Tree, parse
from stacks.extensions.loading import added
from stacks.inheritance import UnreadableError, merged
from stacks.settings import EnvironmentFile, Settings, System, Tier

__all__ = ["EnvironmentFileError", "Problem", "defaults", "is_unused", "load", "parse_settings"]


EVERY_SYSTEM = "defaults"
"""The file of `stacks/systems` that lies below each system's own."""

TASKS_AT_FIRST: Place = ("service", "desired_count")
"""A key whose default follows the least and the most tasks of the file."""
IS_A_BASE = "; a file without it is a base, for others to name behind extends:"


class EnvironmentFileError(ValueError):
    """The environment file cannot be used; the message has one line for each of its problems."""

    def __init__(self, path: Path, found: Iterable[Problem]) -> None:
        ordered = sorted(set(found), key=_order)
        self.path = path
        self.problems = tuple(ordered)
        super().__init__(
            "\n".join(f"{problem.file or path}{_line(problem)}: {problem}" for problem in ordered)
        )


def load(path: Path, *, guesses: bool = True) -> Settings:
    """
    Return the settings that the file *path* describes; *guesses*: an error may suggest a similar name.

    Raises:
        EnvironmentFileError: the file is missing, is no YAML, or asks for what cannot be; all of it at once.

    """
    return loaded(path, guesses=guesses)[0]


def loaded(path: Path, *, guesses: bool = True) -> tuple[Settings, Tree]:
    """Return the settings of the file *path*, and what it says with the places; raises as `load` does."""
    try:
        text = inheritance.text_of(path)
    except UnreadableError as error:
        guess = inheritance.meant(path) if guesses and not path.exists() else ""
        raise EnvironmentFileError(path, [Problem(error.line, "", f"{error}{guess}")]) from error
    return _parsed(text, path)


def parse_settings(text: str, path: Path) -> Settings:
    """
    Return the settings of the file *text*; *path* is its name in messages, and where `extends:` begins.

    Raises as `load` does.
    """
    return _parsed(text, path)[0]


def _parsed(text: str, path: Path) -> tuple[Settings, Tree]:
    tree = inheritance.inherited(parse(text), path)
    if not isinstance(tree.value, dict):
        found = tree.problems or [
            Problem(None, "", "not an environment file; begin with system: and environment:")
        ]
        raise EnvironmentFileError(path, found)
    draft = _Draft(tree)
    settings = draft.settings()
    if draft.problems:
        raise EnvironmentFileError(path, draft.problems)
    more, wrong = added(settings, lambda place: draft.where(place, path))
    if wrong:
        raise EnvironmentFileError(path, wrong)
    return settings.adding(more), tree


def defaults(system: str, tier: str) -> dict[str, Any]:
    """Return the settings of an empty file of *system* and *tier*; only the subnets are missing."""
    result: dict[str, Any] = reduce(merged, layers(system, tier).values(), {})
    return result | {"tier": tier}


def layers(system: str, tier: str) -> dict[str, Mapping[str, Any]]:
    """Return the defaults of *system* and *tier* by name, each overriding those before."""
    every, own = _system_file(EVERY_SYSTEM), _system_file(system)
    return {
        "default": every["defaults"],
        f"default of {system}": own["defaults"],
        f"default of {tier}": every.get("tiers", {}).get(tier, {}),
        f"default of {system} in {tier}": own.get("tiers", {}).get(tier, {}),
    }


def is_unused(system: str, key: str) -> bool:
    """Whether *system* has no use for *key*, or for all of the section that it stands in."""
    return any(key == one or key.startswith(f"{one}.") for one in _unused(system))


def _unused(system: str) -> tuple[str, ...]:
    return tuple(_system_file(system).get("unused", ()))


@cache
def _system_file(system: str) -> dict[str, Any]:
    path = Path(__file__).parent / "systems" / f"{system}.yaml"
    return cast("dict[str, Any]", yaml.load(path.read_text(encoding="utf-8"), LOADER))  # noqa: S506 - it is safe


@dataclass
class _Draft:
    """A file being turned into settings; errors are replaced by defaults, so that the rest is checked."""

    tree: Tree
    problems: list[Problem] = field(default_factory=list)
    doubtful: set[Place] = field(default_factory=set)
    """Places whose value is not the file's: no finding may depend on them."""

    def settings(self) -> Settings:
        """Return the settings; those of a file with problems serve only to find more of them."""
        self.problems += self.tree.problems
        self.doubtful |= self.tree.refused
        base = self._base()
        said = {key: value for key, value in base.items() if key != "system"}  # the file has to say that
        data = merged({"account": None}, merged(said, self.tree.value))
        for values, told in ((base, False), (data, True)):
            self._derive(values, told=told)
        self._follow(data)
        self._refuse_unused(str(base["system"]))
        settings = self._validated(data, base)
        self.problems += [self._placed(finding) for finding in findings(settings) if self._certain(finding)]
        return settings

    def _refuse_unused(self, system: str) -> None:
        """Refuse keys that the file's system does not use."""
        for key in _unused(system):
            place = tuple(key.split("."))
            if place in self.tree.lines:
                message = f"{system} has no use for it; remove it"
                self.problems.append(self._at(place, key, message))

    def _base(self) -> dict[str, Any]:
        system, tier = self.tree.value.get("system"), self.tree.value.get("tier")
        known_system = system if system in get_args(System) else get_args(System)[0]
        return {"system": known_system} | defaults(
            known_system, tier if tier in get_args(Tier) else get_args(Tier)[0]
        )

    def _derive(self, data: dict[str, Any], *, told: bool) -> None:
        """Fill in the subnets that the file leaves out; report if the VPC has no room for them."""
        network = data["network"]
        if not isinstance(network, dict):
            return
        try:
            pairs = subnets.derived(network["vpc_cidr"])
        except (ValueError, TypeError):
            pairs = dict.fromkeys(limits.SUBNET_NUMBERS)
            told = False
        for key, pair in pairs.items():
            if network.get(key) is not None:
                continue
            network[key] = pair or ["10.0.0.0/28", "10.0.0.0/28"]
            if not pair and key in subnets.used(network):
                self.doubtful.add(("network", key))
                if told:
                    message = f"{network['vpc_cidr']} has no room for our /24 subnets; write network.{key}"
                    self.problems.append(self._placed(Finding("network.vpc_cidr", message)))

    def _follow(self, data: dict[str, Any]) -> None:
        """Move the default number of first tasks between the least and the most."""
        if self.tree.says(TASKS_AT_FIRST) or not isinstance(data["service"], dict):
            return
        low, wanted, high = (data["service"][key] for key in ("min_tasks", "desired_count", "max_tasks"))
        if all(type(number) is int for number in (low, wanted, high)):
            data["service"]["desired_count"] = max(low, min(wanted, high))

    def _validated(self, data: dict[str, Any], base: dict[str, Any]) -> Settings:
        try:
            return Settings.model_validate(data)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self._explain(detail)
                self._repair(data, base, problems.place_of(detail))
        return Settings.model_validate(data)

    def _explain(self, detail: Any) -> None:
        place = problems.place_of(detail)
        if place in self.tree.refused:
            return  # reported already, and nothing is left here
        message = problems.describe(detail, EnvironmentFile, self.tree.spellings.get(place))
        if place == ("environment",) and detail["type"] == "missing":
            message += IS_A_BASE
        self.problems.append(self._at(place, problems.spelled(place), message))

    def _repair(self, data: dict[str, Any], base: dict[str, Any], place: Place) -> None:
        """
        Put the default of the key at *place* into *data*, or remove the key; mark the place as doubtful.
        """
        originals: dict[str, Any] = {
            "system": get_args(System)[0],
            "environment": "unnamed",
            "account": None,
        } | base
        section, *rest = (str(part) for part in place[:2])
        self.doubtful.add(place[:2])
        key, holder = section, data
        if rest and isinstance(originals.get(section), dict):
            key, holder, originals = rest[0], data[section], originals[section]
        if key in originals:
            holder[key] = deepcopy(originals[key])
        else:
            holder.pop(key, None)

    def _certain(self, finding: Finding) -> bool:
        """Whether *finding* depends only on values of the file."""
        return not any(_related(place, doubt) for place in finding.places for doubt in self.doubtful)

    def _placed(self, finding: Finding) -> Problem:
        return self._at(finding.place, problems.spelled(finding.place), finding.message)

    def _at(self, place: Place, key: str, message: str) -> Problem:
        """Return a problem at *place*, or at the nearest key above it that the file has."""
        above = (place[:length] for length in range(len(place), 0, -1))
        there = next((part for part in above if part in self.tree.lines), None)
        if there is None:
            return Problem(None, key, message)
        return Problem(self.tree.lines[there], key, message, self.tree.files.get(there))

    def where(self, place: Place, path: Path) -> tuple[Path, int | None]:
        """Return the file that says *place*, *path* where it is the named one, and the line."""
        said = self._at(place, "", "")
        return said.file or path, said.line


def _related(one: Place, other: Place) -> bool:
    """Whether one of two places is the other or stands above it."""
    return all(first == second for first, second in zip(one, other, strict=False))


def _order(problem: Problem) -> tuple[str, int, str, str]:
    """Return what problems are sorted by: those of the named file come first."""
    return (str(problem.file or ""), problem.line or 0, problem.key, problem.message)


def _line(problem: Problem) -> str:
    return f":{problem.line}" if problem.line else ""
