"""`show`: all settings of an environment, and where each value comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import click
import yaml

from gatestack import telling
from gatestack.environment import SettingsRefused, file_named
from gatestack.options import ENV, FORMAT, Options
from stacks.checking.problems import Place
from stacks.checking.yaml_tree import parse
from stacks.environment import EnvironmentFileError, loaded
from stacks.origins import Origins, file_of

ENDLESS = 1_000_000
"""Width without folding: the origin of a value is on its line."""


@click.command()
@ENV
@click.option("--origin", is_flag=True, help="Say behind each value where it comes from.")
@FORMAT
@click.pass_obj
def show(options: Options, env: str, style: str, *, origin: bool) -> int:
    """
    Print ENV's file with every key, defaults and what it extends included.

    What is printed is an environment file itself, and means the same.
    """
    path = file_named(env)
    if path is None:
        raise SettingsRefused(f"{env} is a folder of templates: give the environment's file")
    try:
        settings, tree = loaded(path)
    except EnvironmentFileError as error:
        raise SettingsRefused(str(error)) from error
    found = Origins(path, tree, settings)
    given: dict[Place, str] = {}
    if options.region:
        found = replace(found, settings=settings.model_copy(update={"region": options.region}))
        given = {("region",): "--region"}
    values = file_of(found.settings)
    origins = {place: given.get(place) or found.of(place) for place in _leaves(values)} if origin else {}
    if style == "json":
        told = [{"key": list(place), "origin": one} for place, one in origins.items()]
        found_here = {"environment": settings.environment, "settings": values}
        telling.document(json.dumps(found_here | ({"origins": told} if origin else {}), indent=2))
    else:
        click.echo(_text(values, origins), nl=False)
    return 0


def _leaves(value: Mapping[str, Any], place: Place = ()) -> Iterator[Place]:
    """Yield the place of every value with an origin of its own: a list is one value."""
    for key, one in value.items():
        if isinstance(one, dict) and one:
            yield from _leaves(one, (*place, key))
        else:
            yield (*place, key)


def _text(values: Mapping[str, Any], origins: Mapping[Place, str]) -> str:
    """Return *values* as YAML, with *origins* as comments."""
    lines = yaml.dump(values, Dumper=_OneLine, sort_keys=False, allow_unicode=True, width=ENDLESS).split("\n")
    if origins:
        places = parse("\n".join(lines)).lines
        for place, one in origins.items():
            lines[places[place] - 1] += f" # {''.join(char if char.isprintable() else '?' for char in one)}"
    return "\n".join(lines)


class _OneLine(yaml.SafeDumper):
    """Writes each text on one line, without anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - as PyYAML has it
        return True


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = '"' if len(text.splitlines()) > 1 or text[-1:].isspace() else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_OneLine.add_representer(str, _quoted)
