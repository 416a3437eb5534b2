"""Secrets that ECS injects into tasks, from the environment's file or from the templates in its folder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from gatestack.catalogue import placeholders
from gatestack.environment import Environment
from generator.manifest import Manifest
from stacks import known_secrets, task_secrets
from stacks.application import (
    PLACEHOLDER,
    Application,
    FromParameter,
    FromSecret,
    Injected,
    OwnSecret,
    Written,
)
from stacks.settings import Settings


def keys_taken(environment: Environment, own: OwnSecret) -> Sequence[str] | None:
    """
    Return which values of the secret *own* the file gives to tasks; None without a file.

    All of one that only CloudFormation reads.
    """
    if own.reader == "nobody":
        return own.value.keys
    settings = environment.settings
    if settings is None:
        return None
    sources = (source for _, source in _all(environment.application, settings))
    keys = (one.key for one in sources if isinstance(one, FromSecret) and one.secret == own.arn)
    return list(dict.fromkeys(keys))


def put_in(environment: Environment) -> tuple[OwnSecret, ...]:
    """Return the secrets that the environment's file asks people for."""
    if environment.settings is not None:
        return task_secrets.put_in(environment.settings)
    assert environment.rendered  # noqa: S101 - one of the two is always there
    return tuple(_put_in(environment.rendered, environment.prefix))


def _put_in(manifest: Manifest, prefix: str) -> Iterator[OwnSecret]:
    """Yield the secrets that are created with a placeholder as value."""
    for stack in manifest.stacks:
        for resource in json.loads(stack.template)["Resources"].values():
            said = resource.get("Properties", {}).get("SecretString")
            name = str(resource.get("Properties", {}).get("Name", ""))
            variable = name.removeprefix(f"{prefix}/{known_secrets.VARIABLES}/")
            if variable != name and said == json.dumps({variable: PLACEHOLDER}):
                yield known_secrets.put_in(variable)
            elif name == f"{prefix}/{known_secrets.OIDC_CLIENT.name}":
                yield known_secrets.OIDC_CLIENT


def keys_to_put_in(environment: Environment) -> Iterator[str]:
    """Yield the tasks' values that somebody has to enter; none without a file."""
    for own in placeholders(environment.application, put_in(environment)):
        assert isinstance(own.value, Written)  # noqa: S101 - no other has a placeholder
        for key in keys_taken(environment, own) or ():
            if own.value.values[key] == PLACEHOLDER:
                yield key


def parameters_taken(environment: Environment) -> Mapping[str, str]:
    """Return the SSM parameters that tasks read, by their short names, each with its variable."""
    if environment.settings is None:
        assert environment.rendered  # noqa: S101 - one of the two is always there
        return dict(_in_templates(environment.rendered, environment.prefix))
    application, settings = environment.application, environment.settings
    injected = _all(application, settings)
    own = {source.name: variable for variable, source in injected if isinstance(source, FromParameter)}
    return own | {name: application.variable_of(name) for name in settings.service.parameters}


def _all(application: Application, settings: Settings) -> Iterator[tuple[str, Injected]]:
    for program in application.services(settings):
        yield from program.injected(settings).items()
    yield from task_secrets.injected(settings).items()


def _in_templates(manifest: Manifest, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield name and variable of each parameter in a task definition of the templates."""
    for stack in manifest.stacks:
        for resource in json.loads(stack.template)["Resources"].values():
            containers = resource.get("Properties", {}).get("ContainerDefinitions", ())
            for secret in (secret for each in containers for secret in each.get("Secrets", ())):
                source = json.dumps(secret["ValueFrom"])
                found = re.search(rf":parameter/{re.escape(prefix)}/([\w./-]+)", source)
                if found:
                    yield found[1], secret["Name"]
