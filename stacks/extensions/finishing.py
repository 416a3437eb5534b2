"""A team's template as it is deployed: values as parameter defaults, names as literal text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stacks.extensions import GIVEN, Extension
from stacks.extensions.names import with_literal_names
from stacks.extensions.values import Objection, static, values

if TYPE_CHECKING:
    from stacks.settings import Settings


_NAMED = r"\$\{([A-Za-z0-9]+)[^}]*\}"


def given(settings: Settings) -> dict[str, str]:
    """Return the parameters that gatestack gives, `GIVEN`."""
    said = (settings.prefix, settings.environment, settings.system, settings.tier)
    return dict(zip(GIVEN, said, strict=True))


def finished(settings: Settings, one: Extension) -> tuple[dict[str, Any], tuple[Objection, ...]]:
    """
    Return the template of *one* as CloudFormation gets it, and the names that could not be resolved.

    A parameter that a request leaves out has the default of the request's template, on an update too (API
    reference, Parameter, ParameterKey): so the reviewed text is complete, and no value is passed separately.
    """
    declared = one.template.get("Parameters", {})
    found = values(declared, one.parameters, given(settings))
    place = {
        "AWS::Region": settings.region,
        "AWS::StackName": settings.stack_name(one.name),
        **({"AWS::AccountId": settings.account} if settings.account else {}),
    }
    known = {**static(declared, found), **place}
    template, objections = with_literal_names(one.template, known, settings.prefix)
    for name in {*one.parameters, *GIVEN} & declared.keys():
        template["Parameters"][name]["Default"] = found[name]
    return _without_idle(template, used(one.template) - used(template)), objections


def _without_idle(template: dict[str, Any], idle: frozenset[str]) -> dict[str, Any]:
    """Return *template* without the parameters and mappings used only by names of exports and imports."""
    for section in ("Parameters", "Mappings"):
        if section in template:
            template[section] = {name: one for name, one in template[section].items() if name not in idle}
    return {name: one for name, one in template.items() if one or name not in {"Parameters", "Mappings"}}


def used(node: Any) -> frozenset[str]:
    """Return the names of parameters, resources and mappings that *node* refers to."""
    return frozenset(_used(node))


def _used(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from _used(one)
    if not isinstance(node, dict):
        return
    for key, one in node.items():
        if key == "Ref":
            yield str(one)
        elif key == "Fn::FindInMap" and isinstance(one, list) and one:
            yield str(one[0])
        elif key == "Fn::Sub":
            yield from re.findall(_NAMED, str(one[0] if isinstance(one, list) and one else one))
        yield from _used(one)


def exports(template: dict[str, Any]) -> dict[str, str]:
    """Return the name of each export of a finished *template*, by its output."""
    outputs = template.get("Outputs", {}).items()
    return {output: one["Export"]["Name"] for output, one in outputs if "Export" in one}


def export_of(settings: Settings, said: str) -> str:
    """Return the name of the export that *said*, ``extras.BucketName``, means; raises KeyError for none."""
    stack, _, output = said.partition(".")
    one = next((one for one in settings.added.stacks if one.name == stack), None)
    if one is None:
        raise KeyError(said)
    return exports(finished(settings, one)[0])[output]
