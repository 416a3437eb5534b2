"""A team's additions as parts of the manifest: its own stacks, and patches of gatestack's templates. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.manifest import Patched
from stacks.extensions import ExtensionError
from stacks.extensions.finishing import exports, finished
from stacks.extensions.patches import applied
from stacks.settings import Settings
from stacks.wiring import OWN_BOUNDARY

Templates = Mapping[str, dict[str, Any]]
"""Short name of a stack -> its finished template."""


def own_templates(settings: Settings) -> dict[str, dict[str, Any]]:
    """
    Return the template of each stack of the team's own.

    Its roles get the boundary of gatestack's roles, unless they have one: the deploy role may not create a
    role without.
    """
    return {one.name: _bounded(settings, finished(settings, one)[0]) for one in settings.added.stacks}


def _bounded(settings: Settings, template: dict[str, Any]) -> dict[str, Any]:
    chosen = settings.pipelines.boundary
    boundary = {"Fn::Sub": OWN_BOUNDARY} if chosen == "gatestack" else chosen
    for one in template["Resources"].values() if boundary else ():
        if one["Type"] in {"AWS::IAM::Role", "AWS::IAM::User"}:
            one.setdefault("Properties", {}).setdefault("PermissionsBoundary", boundary)
    return template


def check_exports(settings: Settings, built: Templates, own: Templates) -> None:
    """
    Refuse names of exports that two stacks would have.

    Raises:
        ExtensionError: a stack of the team's own exports what another stack does.

    """
    owners = {name: stack for stack, template in built.items() for name in exports(template).values()}
    lines = []
    for one in settings.added.stacks:
        for output, name in exports(own[one.name]).items():
            owner = owners.setdefault(name, one.name)
            if owner != one.name or list(exports(own[one.name]).values()).count(name) > 1:
                where = one.where(("Outputs", output, "Export", "Name"))
                lines.append(f"{where}: the export {name} is the {owner} stack's; choose another name")
    if lines:
        raise ExtensionError("\n".join(lines))


def patched(settings: Settings, built: Templates) -> dict[str, tuple[dict[str, Any], tuple[Patched, ...]]]:
    """
    Return every template of *built* with its patches, and what marks them.

    Raises:
        ExtensionError: a patch does not fit; the message lists all of them, with their lines.

    """
    found: dict[str, tuple[dict[str, Any], tuple[Patched, ...]]] = {
        name: (template, ()) for name, template in built.items()
    }
    problems = []
    for patch in settings.added.patches:
        if patch.stack not in found:
            have = ", ".join(found)
            problems.append(f"{patch.where}: this environment has no stack {patch.stack}; it has {have}")
            continue
        template, marks = found[patch.stack]
        try:
            changed, risks = applied(template, patch, settings.prefix)
        except ExtensionError as error:
            problems.append(f"{patch.where}: {patch.stack}/{patch.resource}: {patch.path}: {error}")
            continue
        mark = Patched(patch.resource, patch.where, patch.reason, risks)
        found[patch.stack] = (changed, (*marks, mark))
    if problems:
        raise ExtensionError("\n".join(problems))
    return found
