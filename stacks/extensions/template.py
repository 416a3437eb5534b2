"""Whether gatestack can deploy and protect a team's own template. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stacks.checking.limits import SECTIONS, TRANSFORMS
from stacks.checking.problems import Place, printable
from stacks.extensions.values import Objection, objections_to_template

MOST_RESOURCES = 500
"""In a template (CloudFormation User Guide, "Understand CloudFormation quotas")."""
_LOGICAL = r"[A-Za-z0-9]{1,255}"
_MAPS = ("Metadata", "Parameters", "Rules", "Mappings", "Conditions", "Outputs")
_KEYS = frozenset(
    [
        "Type",
        "Properties",
        "DependsOn",
        "Condition",
        "Metadata",
        "CreationPolicy",
        "UpdatePolicy",
        "DeletionPolicy",
        "UpdateReplacePolicy",
    ]
)
_OWN = "AWS::CloudFormation::"


def objections(template: Any) -> Iterator[Objection]:
    """Yield what is wrong with *template*, any value that YAML allows; no further check runs then."""
    if not isinstance(template, dict):
        yield (), "no CloudFormation template: it is a mapping with Resources"
        return
    for section in template.keys() - set(SECTIONS):
        yield (section,), f"CloudFormation has no such section; it has {', '.join(SECTIONS)}"
    for section in _MAPS:
        if section in template:
            yield from _mapping(template[section], (section,), inner=section != "Metadata")
    yield from _empty(template, ())
    resources = template.get("Resources")
    if not isinstance(resources, dict) or not resources:
        yield ("Resources",) if "Resources" in template else (), "a template needs one resource at least"
        return
    if len(resources) > MOST_RESOURCES:
        yield ("Resources",), f"{len(resources)} resources; CloudFormation takes {MOST_RESOURCES}: split it"
    for logical_id, one in resources.items():
        yield from _resource(logical_id, one)
    yield from _transforms(template, ())


def deeper(template: Mapping[str, Any]) -> Iterator[Objection]:
    """Yield what is wrong inside the sections of a *template* without objections."""
    for place, text in objections_to_template(template.get("Parameters", {})):
        yield ("Parameters", *place), text
    for name, output in template.get("Outputs", {}).items():
        if "Value" not in output:
            yield ("Outputs", name), "an output has a Value"
        export = output.get("Export")
        if export is not None and not (isinstance(export, dict) and "Name" in export):
            yield ("Outputs", name, "Export"), "an export has a Name"


def _mapping(section: Any, place: Place, *, inner: bool) -> Iterator[Objection]:
    if not isinstance(section, dict):
        yield place, "expected names with values below them"
        return
    for name, one in section.items():
        if inner and not isinstance(one, dict):
            yield (*place, name), "expected keys with values below it"
        elif place[0] in {"Parameters", "Outputs"} and not re.fullmatch(_LOGICAL, name):
            yield (*place, name), "a name of letters and digits, as CloudFormation takes it"


def _resource(logical_id: str, one: Any) -> Iterator[Objection]:
    place = ("Resources", logical_id)
    if logical_id.startswith("Fn::"):
        yield place, "gatestack plans and guards each resource by its name: write the resources out"
    elif not re.fullmatch(_LOGICAL, logical_id):
        yield place, "a logical id has letters and digits only"
    elif not isinstance(one, dict) or not isinstance(one.get("Type"), str):
        yield place, "a resource has a Type"
    elif one["Type"].startswith(_OWN):
        yield (
            (*place, "Type"),
            f"{printable(one['Type'])}: what it brings is in no template; write it out here",
        )
    else:
        for key in one.keys() - _KEYS:
            yield (*place, key), f"a resource has no {printable(key)}; it has {', '.join(sorted(_KEYS))}"
        yield from _parts(one, place)


def _parts(one: Mapping[str, Any], place: Place) -> Iterator[Objection]:
    for key in ("Properties", "Metadata", "CreationPolicy", "UpdatePolicy"):
        if not isinstance(one.get(key, {}), dict):
            yield (*place, key), "expected keys with values below it"
    for key in ("Condition", "DeletionPolicy", "UpdateReplacePolicy"):
        if not isinstance(one.get(key, ""), str):
            yield (*place, key), "expected text"
    needs = one.get("DependsOn", [])
    names = needs if isinstance(needs, list) else [needs]
    if not all(isinstance(name, str) for name in names):
        yield (*place, "DependsOn"), "expected a logical id, or a list of them"
    if "gatestack" in (one.get("Metadata") or {}):
        yield (*place, "Metadata"), "what is called gatestack is gatestack's own; choose another key"


def _empty(node: Any, place: Place) -> Iterator[Objection]:
    """Find empty values (CloudFormation: "'null' values are not allowed in templates")."""
    if node is None:
        yield place, "nothing stands here; CloudFormation takes no null: write a value, or remove the key"
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, one in pairs:
        yield from _empty(one, (*place, key))


def _transforms(node: Any, place: Place) -> Iterator[Objection]:
    if place == () and isinstance(node, dict) and "Transform" in node:
        said = node["Transform"] if isinstance(node["Transform"], list) else [node["Transform"]]
        for one in said:
            if not isinstance(one, str) or one not in TRANSFORMS:
                what = "a macro makes another template than the one that is reviewed"
                yield ("Transform",), f"{what}; gatestack deploys {' and '.join(sorted(TRANSFORMS))}"
    if isinstance(node, dict) and "Fn::Transform" in node:
        yield (*place, "Fn::Transform"), "a macro makes another template than the one that is reviewed"
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, one in pairs:
        yield from _transforms(one, (*place, key))
