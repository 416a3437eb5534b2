"""
Load an environment file: defaults, the tier's and the file's, merged and checked; every problem at once.

What its `extend` names is read by `stacks.extensions.loading`; no other module of this package reads files.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache, reduce
from pathlib import Path
from typing import Any, cast, get_args

import yaml
from pydantic import ValidationError

from stacks.checking import limits, problems, subnets
from stacks.checking.problems import Finding, Place, Problem
from stacks.checking.together import findings
from stacks.checking.yaml_tree import Tree, parse
from stacks.extensions.loading import added
from stacks.settings import Settings, System, Tier

__all__ = ["EnvironmentFileError", "Problem", "defaults", "is_unused", "load", "parse_settings"]


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, where PyYAML was built with it: ten times as fast."""
EVERY_SYSTEM = "defaults"
"""The file of `stacks/systems` that lies below each system's own."""


class EnvironmentFileError(ValueError):
    """The environment file cannot be used; the message has one line for each of its problems."""

    def __init__(self, path: Path, found: Iterable[Problem]) -> None:
        ordered = sorted(set(found), key=lambda one: (one.file, one.line or 0, one.key, one.message))
        self.path = path
        self.problems = tuple(ordered)
        super().__init__("\n".join(f"{one.file or path}{_line(one)}: {one}" for one in ordered))


def load(path: Path, *, guesses: bool = True) -> Settings:
    """
    Return the settings that the file *path* describes; *guesses*: a missing one may name a file that is near.

    Raises:
        EnvironmentFileError: the file is missing, is no YAML, or asks for what cannot be; all of it at once.

    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EnvironmentFileError(
            path, [Problem(None, "", _unreadable(path, error, guesses=guesses))]
        ) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise EnvironmentFileError(
            path, [Problem(line, "", "not UTF-8 text; save the file as UTF-8")]
        ) from error
    return parse_settings(text, path)


def parse_settings(text: str, path: Path) -> Settings:
    """Return the settings of the file *text*; *path* is its name in messages. Raises as `load` does."""
    tree = parse(text)
    if not isinstance(tree.value, dict):
        found = tree.problems or [
            Problem(None, "", "not an environment file; begin with system: and environment:")
        ]
        raise EnvironmentFileError(path, found)
    draft = _Draft(tree)
    settings = draft.settings()
    if draft.problems:
        raise EnvironmentFileError(path, draft.problems)
    more, wrong = added(settings, lambda place: (path, draft.line(place)))
    if wrong:
        raise EnvironmentFileError(path, wrong)
    return settings.adding(more)


def defaults(system: str, tier: str) -> dict[str, Any]:
    """Return what a file of *system* and *tier* that says nothing means; only the subnets are missing."""
    files = [_system_file(EVERY_SYSTEM), _system_file(system)]
    layers = [*(data["defaults"] for data in files), *(data.get("tiers", {}).get(tier, {}) for data in files)]
    merged: dict[str, Any] = reduce(_merged, layers, {})
    return merged | {"tier": tier}


def is_unused(system: str, key: str) -> bool:
    """Whether *system* has no use for *key*, or for all of the section that it stands in."""
    return any(key == one or key.startswith(f"{one}.") for one in _unused(system))


def _unused(system: str) -> tuple[str, ...]:
    return tuple(_system_file(system).get("unused", ()))


@cache
def _system_file(system: str) -> dict[str, Any]:
    path = Path(__file__).parent / "systems" / f"{system}.yaml"
    return cast("dict[str, Any]", yaml.load(path.read_text(encoding="utf-8"), _LOADER))  # noqa: S506 - it is safe


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay *above* over *below*, mapping by mapping; a key with nothing behind it leaves what is below."""
    result = dict(deepcopy(below))
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = _merged(result[key], value)
        elif value is not None or key not in result:
            result[key] = deepcopy(value)
    return result


@dataclass
class _Draft:
    """A file on its way to settings; what is wrong is replaced by its default, so the rest is checked."""

    tree: Tree
    problems: list[Problem] = field(default_factory=list)
    doubtful: set[Place] = field(default_factory=set)
    """Places whose value is not the file's: nothing is concluded from them."""

    def settings(self) -> Settings:
        """Return the settings; those of a file with problems serve only to find more of them."""
        self.problems += self.tree.problems
        self.doubtful |= self.tree.refused
        base = self._base()
        said = {key: value for key, value in base.items() if key != "system"}  # the file has to say that
        data = _merged({"account": None}, _merged(said, self.tree.value))
        for values, told in ((base, False), (data, True)):
            self._derive(values, told=told)
        self._refuse_unused(str(base["system"]))
        settings = self._validated(data, base)
        self.problems += [self._placed(finding) for finding in findings(settings) if self._certain(finding)]
        return settings

    def _refuse_unused(self, system: str) -> None:
        """Refuse what the file says to nobody: a key that its system has no use for."""
        for key in _unused(system):
            place = tuple(key.split("."))
            if place in self.tree.lines:
                message = f"{system} has no use for it; remove it"
                self.problems.append(Problem(self.line(place), key, message))

    def _base(self) -> dict[str, Any]:
        system, tier = self.tree.value.get("system"), self.tree.value.get("tier")
        known_system = system if system in get_args(System) else get_args(System)[0]
        return {"system": known_system} | defaults(
            known_system, tier if tier in get_args(Tier) else get_args(Tier)[0]
        )

    def _derive(self, data: dict[str, Any], *, told: bool) -> None:
        """Fill in the subnets that the file does not name, and say so where the VPC has no room for them."""
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
            return  # said already, and nothing was left here
        message = problems.describe(detail, Settings, self.tree.spellings.get(place))
        self.problems.append(Problem(self.line(place), problems.spelled(place), message))

    def _repair(self, data: dict[str, Any], base: dict[str, Any], place: Place) -> None:
        """Put the default of the key at *place* into *data*, or leave the key out; it is doubtful now."""
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
        """Whether *finding* rests on nothing but what the file says."""
        return not any(_related(place, doubt) for place in finding.places for doubt in self.doubtful)

    def _placed(self, finding: Finding) -> Problem:
        return Problem(self.line(finding.place), problems.spelled(finding.place), finding.message)

    def line(self, path: Place) -> int | None:
        """Return the line of *path*, or of the nearest key above it that the file has."""
        above = (path[:length] for length in range(len(path), 0, -1))
        return next((self.tree.lines[part] for part in above if part in self.tree.lines), None)


def _related(one: Place, other: Place) -> bool:
    """Whether one of two places is the other or stands above it."""
    return all(first == second for first, second in zip(one, other, strict=False))


def _line(problem: Problem) -> str:
    return f":{problem.line}" if problem.line else ""


def _unreadable(path: Path, error: OSError, *, guesses: bool) -> str:
    if not isinstance(error, FileNotFoundError):
        return f"cannot be read: {error.strerror}"
    there = sorted(other.name for other in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
    if not there:
        return f"no such file, and {path.parent} has no environment files"
    names = {Path(name).stem: name for name in there}
    near = difflib.get_close_matches(path.stem, names, n=1) if guesses else []
    return f"no such file; {path.parent} has {', '.join(there)}" + (
        f"; did you mean {names[near[0]]}?" if near else ""
    )
