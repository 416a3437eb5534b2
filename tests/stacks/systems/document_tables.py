"""
The tables of docs/systems: how they are written, and what in a row is not as the row says.

A page begins with the environment file that its rows are about. A table has four columns:

    | the document says | key = default | where | note |

`key = default`: what the environment file is told, in code spans.

    `service.cpu = 512`                          the default of the system, in both tiers
    `alb.waf = false`, production `true`         the defaults of its two tiers
    `service.max_tasks = 1` in `llm-proxy-dev`   what that shipped file says or means
    `network.existing_vpc.vpc_id`                a key that has no default

`where`: what implements it, in code spans.

    `service/ProxyTask`                          stack and logical id
    `service/ProxyTask.Container.StopTimeout = 120`    a property; [x]: the item number x of a list, or the
                                                 one whose Name, Key, Sid or Id is x; Container, Statement,
                                                 Tracking: see SHORT
    `.Cpu = 512`                                 a property of the resource before it
    `alb.Url`                                    an exported output of a stack
    `gatestack deploy ENV --yes`, `make test`    a command, its options too
    `docs/restore.md`, `test_alb.py`             a file of the repository, a test
    no `network/NatGateway2`                     it is not there
    refused: `database.multi_az: false`          the environment file cannot say so

After them ``in `prod` `` names another shipped file and ``with `alb.waf: true` and `…` `` keys that are set
on top of it, for everything since the last semicolon. In a value ``{env}`` is the environment's name and an
ellipsis any text; Ref, Fn::Sub and the like are read as what they name, an import as ``stack.Output``, a
template parameter as its default. A dash is an empty cell. A row with nothing in both needs a note.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click
import yaml
from pydantic import BaseModel

from gatestack.cli import cli
from generator.render import render
from stacks import STACKS
from stacks.checking import subnets
from stacks.checking.problems import known_keys
from stacks.environment import EnvironmentFileError, defaults, parse_settings
from stacks.settings import Settings
from tests.places import ROOT, is_test_file

FOLDER = ROOT / "docs" / "systems"
HEAD = ("the document says", "key = default", "where", "note")
NAMES = ("name", "type")
TIERS = ("dev", "production")
WITH_NAMES = ("Name", "Key", "Sid", "Id")
SHORT = {
    "Container": "ContainerDefinitions[0]",
    "Statement": "Policies[0].PolicyDocument.Statement",
    "Tracking": "TargetTrackingScalingPolicyConfiguration",
}
"""Abbreviations at the start of a property's path, and their meaning."""


class RowError(Exception):
    """A row is wrong, or cannot be understood."""


@dataclass(frozen=True)
class Row:
    """A row of a page."""

    line: int
    section: str
    cells: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.line}: | {' | '.join(self.cells)} |"


@dataclass(frozen=True)
class Page:
    """A page with its rows."""

    name: str
    environment: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Case:
    """A shipped environment file, and keys set on top of it."""

    file: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claim:
    """A code span, and the word before it."""

    word: str
    code: str


def page(path: Path) -> Page:
    """Read the page at *path*."""
    text = path.read_text(encoding="utf-8")
    named = re.search(r"`environments/([a-z-]+)\.yaml`", text)
    assert named, f"{path.name} names no environment file"
    return Page(path.stem, named[1], tuple(rows(text, HEAD)))


def rows(text: str, head: tuple[str, ...]) -> Iterator[Row]:
    """Yield the rows of the tables of *text* whose columns are *head*."""
    section, inside = "", False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#"):
            section = line.lstrip("# ")
        if not line.startswith("|"):
            inside = False
            continue
        cells = tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])
        if cells == head:
            inside = True
        elif inside and set(line) - set("|-: "):
            yield Row(number, section, cells)


def problems(of: Page) -> list[str]:
    """Return what is wrong in the rows of the page *of*."""
    return [f"{row}\n    {problem}" for row in of.rows for problem in _problems(of, row)]


def named(of: Page) -> Iterator[tuple[str, str | None]]:
    """
    Yield each resource that the page *of* names, with its type; None if the page says that it is absent.
    """
    for row in of.rows:
        for case, claim in _claims(of, row):
            found = re.match(r"([a-z]+)/(\w+)", claim.code)
            if claim.word == "refused:" or not found or found[1] not in STACKS:
                continue
            absent = claim.word == "no" and "." not in claim.code
            yield found[0], None if absent else _resource(case, found[1], found[2])["Type"]


def _problems(of: Page, row: Row) -> Iterator[str]:
    if len(row.cells) != len(HEAD):
        yield f"{len(row.cells)} cells; a row has {len(HEAD)}"
        return
    _, keys, where, note = row.cells
    if keys == where == "-" and note in {"", "-"}:
        yield "nothing implements it, and no note says why"
    checks: list[Callable[[], None]] = [lambda: _check_keys(of, keys)]
    checks += [lambda case=case, claim=claim: _check(case, claim) for case, claim in _safe_claims(of, row)]
    for check in checks:
        try:
            check()
        except RowError as wrong:
            yield str(wrong)


def _safe_claims(of: Page, row: Row) -> list[tuple[Case, Claim]]:
    try:
        return list(_claims(of, row))
    except RowError as wrong:
        return [(Case(of.environment), Claim("wrong", str(wrong)))]


def _spans(cell: str) -> Iterator[Claim]:
    """Yield the code spans of *cell*, each with the last word before it."""
    parts = cell.split("`")
    if len(parts) % 2 == 0:
        raise RowError(f"a code span is left open: {cell}")
    for words, code in zip(parts[::2], parts[1::2], strict=False):
        yield Claim(words.strip(" ,").rpartition(" ")[2], code)


def _claims(of: Page, row: Row) -> Iterator[tuple[Case, Claim]]:
    """Yield the claims of the column `where`, each with its environment."""
    cell = row.cells[2] if len(row.cells) == len(HEAD) else "-"
    for part in re.split(r";\s(?=(?:[^`]*`[^`]*`)*[^`]*$)", cell):
        file, options, claims = of.environment, [], []
        for span in _spans(part):
            if span.word == "in":
                file = span.code
            elif span.word in {"with", "and"}:
                options.append(span.code)
            elif span.word in {"", "no", "refused:"}:
                claims.append(Claim(span.word, _whole(span.code, claims)))
            else:
                raise RowError(f"the word {span.word!r} before `{span.code}` is not understood")
        if part != "-" and not claims:
            raise RowError(f"no code span in {part!r}")
        yield from ((Case(file, tuple(options)), claim) for claim in claims)


def _whole(code: str, before: list[Claim]) -> str:
    """Add the resource of the claims *before* it to a property without one."""
    if not code.startswith("."):
        return code
    if not before:
        raise RowError(f"`{code}`: a property of what?")
    return before[-1].code.partition(".")[0] + code


def _check_keys(of: Page, cell: str) -> None:
    spans, system = list(_spans(cell)), _settings(Case(of.environment)).system
    if cell != "-" and not spans:
        raise RowError(f"no code span in {cell!r}")
    for number, span in enumerate(spans):
        if span.word:
            continue
        key, equals, value = span.code.partition(" = ")
        follower = spans[number + 1] if number + 1 < len(spans) else Claim("", "")
        if follower.word == "in":
            _expect(key, value, _dumped(Case(follower.code)), f"in {follower.code}")
            continue
        values = (value, follower.code if follower.word == "production" else value)
        for tier, wanted in zip(TIERS, values, strict=True):
            _expect(key, wanted if equals else None, _defaults(system, tier), f"by default ({tier})")


def _expect(key: str, value: str | None, data: Mapping[str, Any], whose: str) -> None:
    """Check that *key* is one of the environment file's, and that its value in *data* is *value*."""
    _known(key)
    if value is None:
        return
    found: Any = data
    for part in key.split("."):
        if not isinstance(found, Mapping) or part not in found:
            raise RowError(f"{key} has no value {whose}")
        found = found[part]
    if _plain(found) != yaml.safe_load(value):
        raise RowError(f"{key} is {_plain(found)!r} {whose}, not {value}")


def _known(key: str) -> None:
    """Check *key* against the model, down to free mappings, whose keys are the user's."""
    place: tuple[str, ...] = ()
    for part in key.split("."):
        model = _model(place)
        if model is None:
            return
        if part not in known_keys(model):
            raise RowError(f"the environment file has no key {key}")
        place += (part,)


def _model(place: tuple[str, ...]) -> type[BaseModel] | None:
    model: Any = Settings
    for part in place:
        annotation = model.model_fields[part].annotation
        kinds = (annotation, *getattr(annotation, "__args__", ()))
        model = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if model is None:
            return None
    return model  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


@cache
def _defaults(system: str, tier: str) -> Mapping[str, Any]:
    data = defaults(system, tier)
    network = subnets.derived(data["network"]["vpc_cidr"]) | data["network"]
    return {**data, "network": network, "account": None}


@cache
def _dumped(case: Case) -> Mapping[str, Any]:
    return _settings(case).model_dump()


@cache
def _settings(case: Case) -> Settings:
    path = ROOT / "environments" / f"{case.file}.yaml"
    if not path.is_file():
        raise RowError(f"there is no environments/{path.name}")
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    for option in case.options:
        key, _, value = option.partition(": ")
        _known(key)
        *sections, last = key.split(".")
        holder = data
        for section in sections:
            holder = holder.setdefault(section, {})
        holder[last] = yaml.safe_load(value)
    return parse_settings(yaml.safe_dump(data), path)


@cache
def _templates(case: Case) -> Mapping[str, dict[str, Any]]:
    try:
        settings = _settings(case)
    except EnvironmentFileError as error:
        raise RowError(f"refused: {error}") from None
    return {stack.name: json.loads(stack.template) for stack in render(settings).stacks}


def _check(case: Case, claim: Claim) -> None:
    """Check one claim; raises RowError with what is wrong."""
    if claim.word == "wrong":
        raise RowError(claim.code)
    if claim.word == "refused:":
        _check_refused(Case(case.file, (*case.options, claim.code)))
    elif claim.word == "no":
        _check_absent(case, claim.code)
    else:
        _kind(claim.code)(case, claim.code)


def _kind(code: str) -> Callable[[Case, str], None]:
    kinds: Iterable[tuple[str, Callable[[Case, str], None]]] = (
        (r"(gatestack|make) ", lambda _, said: _check_command(said)),
        (rf"({'|'.join(STACKS)})/\w", _check_resource),
        (rf"({'|'.join(STACKS)})\.\w+$", _check_output),
        (r"[\w./-]+$", lambda _, said: _check_file(said)),
    )
    for shape, check in kinds:
        if re.match(shape, code):
            return check
    raise RowError(f"`{code}` is not understood")


def _check_absent(case: Case, said: str) -> None:
    """Check that the resource is missing; with a path, that the resource exists and the property does not."""
    stack, _, rest = said.partition("/")
    logical_id, _, path = rest.partition(".")
    try:
        found = _resource(case, stack, logical_id)
    except RowError:
        if path or stack not in STACKS:
            raise
        return
    try:
        _follow(found, path)
    except RowError:
        return
    raise RowError(f"`{said}` is there")


def _check_refused(case: Case) -> None:
    key = case.options[-1].partition(": ")[0]
    try:
        _settings(case)
    except EnvironmentFileError as error:
        if key in {problem.key for problem in error.problems}:
            return
    raise RowError(f"{', '.join(case.options)} is not refused in {case.file}")


def _check_command(said: str) -> None:
    program, *words = said.split()
    if program == "make":
        targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
        if words[0] not in targets:
            raise RowError(f"the Makefile has no target {words[0]}")
        return
    command: click.Command = cli
    while isinstance(command, click.Group) and words:
        name = words.pop(0)
        found = command.get_command(click.Context(command), name)
        if found is None:
            raise RowError(f"there is no command {name} ({said})")
        command = found
    options = {option for parameter in command.params for option in parameter.opts}
    for word in words:
        if word.startswith("--") and word not in options:
            raise RowError(f"{said}: there is no option {word}")


def _check_file(said: str) -> None:
    if not (is_test_file(said) if said.startswith("test_") else (ROOT / said).exists()):
        raise RowError(f"there is no file {said}")


def _check_output(case: Case, said: str) -> None:
    stack, _, output = said.partition(".")
    if output not in _templates(case).get(stack, {}).get("Outputs", {}):
        raise RowError(f"the stack {stack} has no output {output}")


def _check_resource(case: Case, said: str) -> None:
    target, equals, expected = said.partition(" = ")
    stack, _, rest = target.partition("/")
    logical_id, _, path = rest.partition(".")
    resource = _resource(case, stack, logical_id)
    if not path:
        return
    template, settings = _templates(case)[stack], _settings(case)
    found = _read(_follow(resource, path), template, settings)
    wanted = expected.replace("{env}", settings.environment)
    if equals and not re.fullmatch(".*".join(map(re.escape, wanted.split("…"))), found, re.DOTALL):
        raise RowError(f"{target} is {found}, not {wanted}")


def _resource(case: Case, stack: str, logical_id: str) -> dict[str, Any]:
    resources = _templates(case).get(stack, {}).get("Resources", {})
    if logical_id not in resources:
        told = "".join(f" with {option}" for option in case.options)
        raise RowError(f"there is no {stack}/{logical_id} in {case.file}{told}")
    return dict(resources[logical_id])


def _follow(resource: dict[str, Any], path: str) -> Any:
    """Return the value at *path* of the properties, or of the resource itself (DeletionPolicy)."""
    first = path.partition(".")[0].partition("[")[0]
    path = path.replace(first, SHORT.get(first, first), 1)
    found: Any = resource | resource.get("Properties", {})
    for name, item in re.findall(r"(?:^|\.)([^.\[\]]+)|\[([^\]]+)\]", path):
        found = _entry(found, name or item, path)
    return found


def _entry(holder: Any, name: str, path: str) -> Any:
    if isinstance(holder, list) and name.isdecimal() and int(name) < len(holder):
        return holder[int(name)]
    if isinstance(holder, list):
        for item in holder:
            if isinstance(item, dict) and name in {item.get(key) for key in WITH_NAMES}:
                return item
    if isinstance(holder, dict) and name in holder:
        return holder[name]
    raise RowError(f"{path}: there is no {name}")


def _read(value: Any, template: Mapping[str, Any], settings: Settings) -> str:
    """Return *value* in a row's form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(_read(one, template, settings) for one in value)
    if isinstance(value, dict):
        return _read_mapping(value, template, settings)
    return str(value)


def _read_mapping(value: dict[str, Any], template: Mapping[str, Any], settings: Settings) -> str:
    for key in ("Value", "ValueFrom"):
        if key in value and {"Name", "Key"} & value.keys():
            return _read(value[key], template, settings)
    name, argument = next(iter(value.items()), ("", None))
    readers: Mapping[str, Callable[[Any], str]] = {
        "Ref": lambda it: str(template.get("Parameters", {}).get(it, {}).get("Default", it)),
        "Fn::GetAtt": ".".join,
        "Fn::ImportValue": lambda it: it.removeprefix(f"{settings.prefix}-").replace("-", ".", 1),
        "Fn::Join": lambda it: it[0].join(_read(one, template, settings) for one in it[1]),
        "Fn::If": lambda it: _read(it[1] if _holds(it[0], template, settings) else it[2], template, settings),
        "Fn::Sub": lambda it: _read_sub(it, template, settings),
    }
    if len(value) == 1 and name in readers:
        return readers[name](argument)
    return json.dumps(value)


def _read_sub(argument: Any, template: Mapping[str, Any], settings: Settings) -> str:
    text, values = argument if isinstance(argument, list) else (argument, {})
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", _read(value, template, settings))
    return str(text)


def _holds(condition: str, template: Mapping[str, Any], settings: Settings) -> bool:
    one, other = template["Conditions"][condition]["Fn::Equals"]
    return _read(one, template, settings) == _read(other, template, settings)
