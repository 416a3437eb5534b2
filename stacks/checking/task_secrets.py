"""What `service.secrets` may not say: names that are taken, variables that tasks get otherwise. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stacks.application import Application
from stacks.checking import limits
from stacks.checking.parameters import told
from stacks.checking.problems import Finding
from stacks.known_secrets import CACHE, administrator, put_in
from stacks.settings import Settings
from stacks.systems import application
from stacks.task_secrets import names, of_providers

_ALSO = ("service.environment", "service.parameters", "service.providers", "cache", "database", "dispatcher")


def task_secret_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong between the variables that people put in, and all others."""
    own, listed = application(settings.system), settings.service.secrets
    taken = told_otherwise(settings, own)
    ids = {one.title: f"gatestack's secret {one.name}" for one in (*own.secrets, administrator(own), CACHE)}
    ids |= {put_in(name).title: f"{name} of service.providers" for name in of_providers(settings)}
    for index, name in enumerate(listed):
        message = "stands twice; keep one of them" if name in listed[:index] else taken.get(name)
        message = message or no_secret(name) or _same_id(name, ids)
        if message:
            yield Finding("service.secrets", f"{name} {message}", _ALSO, (index,))
    if (count := len(names(settings))) > limits.MOST_VARIABLES:
        room = f"the stack has room for {limits.MOST_VARIABLES}"
        yield Finding("service.secrets", f"{count} variables with those of the providers; {room}", _ALSO)


def told_otherwise(settings: Settings, own: Application) -> Mapping[str, str]:
    """Return each variable that is not for people to put in, or not here, and what to do about it."""
    service = settings.service
    given = {provider: name for provider, name in limits.PROVIDER_KEYS.items() if provider in own.providers}
    return {
        **dict.fromkeys(service.environment, "is set by service.environment too, in clear; keep one of them"),
        **{
            own.variable_of(name): f"comes from service.parameters.{name} too; keep one of them"
            for name in service.parameters
        },
        **dict.fromkeys([*own.reserved, *told(settings)], "is set by gatestack itself; remove it"),
        **{
            name: f"comes with {provider} in service.providers; remove it"
            for provider, name in given.items()
            if name in own.reserved
        },
    }


def no_secret(name: str) -> str | None:
    """Return why the variable *name* is none for a secret, whatever else there is; None where it may be."""
    if name in limits.ROLE_VARIABLES:
        return (
            "would take the place of the tasks' role for everything that they ask AWS for; put it in "
            f"under another name (BEDROCK_{name}) and refer to that in the application's configuration"
        )
    return None if name.strip("_") else "needs a letter or a digit"


def _same_id(name: str, ids: dict[str, str]) -> str | None:
    """Return what in *ids* has the logical id of *name*'s secret already, as A_1 has that of A1."""
    title = put_in(name).title
    other = ids.setdefault(title, name)
    if other in {name, f"{name} of service.providers"}:
        return None
    return f"has the same logical id {title} as {other}; rename one of them"
