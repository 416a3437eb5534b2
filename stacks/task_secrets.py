"""Secrets that people enter: variables of the tasks, and what the load balancer needs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from stacks.application import FromArn, FromSecret, Injected, OwnSecret
from stacks.checking.limits import PROVIDER_KEYS
from stacks.known_secrets import OIDC_CLIENT
from stacks.known_secrets import put_in as secret_of
from stacks.systems import application
from stacks.systems.litellm_providers import VARIABLES

if TYPE_CHECKING:
    from stacks.settings import Settings


def names(settings: Settings) -> tuple[str, ...]:
    """Return the variables, each once: each has its own secret."""
    return tuple(dict.fromkeys([*settings.service.secrets, *of_providers(settings), *of_sso(settings)]))


def of_providers(settings: Settings) -> tuple[str, ...]:
    """
    Return the variables that the providers need and that have no other source.

    OPENAI_API_KEY and ANTHROPIC_API_KEY are in a secret of the system's own.
    """
    service, own = settings.service, application(settings.system)
    given = {*service.environment, *service.secrets_from, *map(own.variable_of, service.parameters)}
    given |= {*PROVIDER_KEYS.values()}
    needed = [name for provider in service.providers for name in VARIABLES[provider]]
    return tuple(dict.fromkeys(name for name in needed if name not in given))


def of_sso(settings: Settings) -> tuple[str, ...]:
    """Return the variable of the secret that the identity provider knows LiteLLM by."""
    name = application(settings.system).client_secrets.get(settings.sso.provider or "")
    return () if name is None or name in settings.service.secrets_from else (name,)


def of_tasks(settings: Settings) -> tuple[OwnSecret, ...]:
    """Return the secrets of these variables."""
    return tuple(secret_of(name) for name in names(settings))


def put_in(settings: Settings) -> tuple[OwnSecret, ...]:
    """Return every secret that the file asks people for, also the one that no task reads."""
    return (*of_tasks(settings), *((OIDC_CLIENT,) if settings.alb.oidc else ()))


def injected(settings: Settings) -> Mapping[str, Injected]:
    """
    Return what the services' tasks get at their start by the file.

    A migration gets none: it calls only the database.
    """
    elsewhere = {name: FromArn(source.arn) for name, source in settings.service.secrets_from.items()}
    return {name: FromSecret(secret_of(name).arn, name) for name in names(settings)} | elsewhere
