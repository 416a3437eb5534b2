"""What `service.parameters` may not say: names that are taken, variables that tasks get otherwise. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.application import camel
from stacks.checking.problems import Finding
from stacks.checking.secret_texts import is_secret, names_a_secret
from stacks.checking.texts import INSTEAD
from stacks.settings import Settings
from stacks.systems import application

NESTED = "{{"
"""AWS::SSM::Parameter, Value: it "must not nest another parameter. Do not use {{}} in the value"."""


def parameter_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong between the user's parameters, ours, and the variables that tasks get."""
    seen: dict[str, str] = {}
    for name, value in settings.service.parameters.items():
        message = _taken(settings, name, value) or _same_as_another(settings, name, seen)
        if NESTED in value:
            message = f"SSM takes no {NESTED} in a value; write it without"
        if message:
            also = ("service.environment", "cache", "database", "dispatcher")
            yield Finding("service.parameters", message, also, (name,))


def _taken(settings: Settings, name: str, value: str) -> str | None:
    """
    Return why *name* is no name for a parameter of the user's.

    ECS refuses a secret that has the name of an environment variable, or of another secret.
    """
    own = application(settings.system)
    variable = own.variable_of(name)
    if name in own.shown:
        return f"gatestack writes this parameter itself, from {own.shown[name]}; remove it"
    if name in own.located:
        return "gatestack writes this parameter itself; remove it"
    if variable in told(settings) or (variable in own.reserved and name not in own.read_by_tasks):
        return f"tasks get it as {variable}, which gatestack sets itself; remove it"
    if variable in settings.service.environment:
        return f"tasks get it as {variable}, which service.environment sets too; keep one of them"
    if names_a_secret(name) or names_a_secret(variable) or is_secret(value):
        return f"looks like a secret, and these parameters are not encrypted; {INSTEAD}"
    return None


def told(settings: Settings) -> frozenset[str]:
    """Return the variables that some program gets whatever `service.parameters` says."""
    own = application(settings.system)
    programs = [own.entrance, *(one.program for one in own.background(settings))]
    programs += [own.migration.program] if own.migration else []
    return frozenset(name for one in programs for name in (*one.variables(settings), *one.injected(settings)))


def _same_as_another(settings: Settings, name: str, seen: dict[str, str]) -> str | None:
    """Return which parameter in *seen* has the same variable or, like a-1 and a1, the same logical id."""
    own = application(settings.system)
    for thing in (f"variable {own.variable_of(name)}", f"logical id {camel(name)}"):
        other = seen.setdefault(thing, name)
        if other != name:
            return f"has the same {thing} as {other}; rename one of them"
    return None
