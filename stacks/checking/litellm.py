"""Consistency of LiteLLM's own file with the other keys, and warnings about it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stacks import task_secrets
from stacks.checking import limits
from stacks.checking.problems import Finding, Place, printable, spelled
from stacks.checking.secret_texts import is_secret, names_a_secret, sets_a_secret
from stacks.near import near
from stacks.settings import Service, Settings
from stacks.systems import application, litellm_providers
from stacks.systems.litellm_aws.reading import unset

_PYTHON = r"(?!litellm\.)[A-Za-z_]\w*(\.[A-Za-z_]\w*)+"
"""``module.instance``: LiteLLM's built-in names have no dot, and its own modules are in every image."""

_REFERENCE = r"os\.environ/[A-Za-z_][A-Za-z0-9_]*|oidc/[a-z_]+/\S+"
"""To a variable, or to a token of an identity provider (litellm/secret_managers/main.py, `get_secret`)."""

_GIVING = ("service.providers", "service.environment", "service.secrets", "service.parameters")
"""Keys that set variables of tasks."""

_COMMON = tuple(limits.PROVIDER_KEYS)
"""Providers of which a model without access is a mistake; others are called in many ways."""

_ACCESS = ("api_key", "api_base", "base_url", "litellm_credential_name", "mock_response")
"""Parameters with which a model needs no access of the provider's own."""


def given_to_tasks(settings: Settings) -> frozenset[str]:
    """Return the environment variables that LiteLLM can refer to, from all sources."""
    service, own = settings.service, application(settings.system)
    sources = (
        own.entrance.variables(settings),
        own.entrance.injected(settings),
        task_secrets.injected(settings),
        map(own.variable_of, service.parameters),
        service.environment,
        _set_by_file(service),
    )
    return limits.FARGATE_VARIABLES.union(*sources)


def config_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong in `service.config`."""
    config = settings.service.config
    for place in _literal_secrets(config):
        yield _in_config("a secret may not stand in this file; write os.environ/NAME", *place)
    yield from _references(settings)
    yield from _general(config.get("general_settings"))
    models = config.get("model_list", [])
    if isinstance(models, list):
        for index, model in enumerate(models):
            yield from _model(model, index, settings)
    else:
        yield _in_config("expected a list of models", "model_list")


def config_advice(settings: Settings) -> Iterator[str]:
    """
    Yield a sentence for each part of `service.config` that will not work as it does with a file on a disk.

    LiteLLM fetches one object from S3 and nothing beside it (BerriAI/litellm#10632, #12614).
    """
    config = settings.service.config
    if "include" in config:
        yield "service.config.include: LiteLLM takes one file from S3, none beside it; write all of it here"
    for place, name in _custom_code(config):
        where = spelled(("service", "config", *place))
        yield f"{where}: {name} is Python code; S3 has config.yaml only, so it has to be in the image"


def _general(general: object) -> Iterator[Finding]:
    if not isinstance(general, Mapping):
        yield _in_config("expected keys with values below it", "general_settings")
        return
    if general.get("master_key") != limits.MASTER_KEY:
        message = f"must be {limits.MASTER_KEY}, the key that gatestack makes"
        yield _in_config(message, "general_settings", "master_key")
    for key, why in limits.FORBIDDEN_GENERAL_SETTINGS.items():
        if general.get(key):
            yield _in_config(why, "general_settings", key)


def _model(model: object, index: int, settings: Settings) -> Iterator[Finding]:
    if not isinstance(model, Mapping):
        yield _in_config("expected model_name and litellm_params", "model_list", index)
        return
    if not isinstance(model.get("model_name"), str):
        yield _in_config("needs model_name: the name that clients ask for", "model_list", index)
    params = model.get("litellm_params")
    if not isinstance(params, Mapping) or not isinstance(params.get("model"), str):
        message = "needs litellm_params with model: provider/name, like openai/gpt-4o"
        yield _in_config(message, "model_list", index)
        return
    yield from _provider(params, index, settings)


def _provider(params: Mapping[str, Any], index: int, settings: Settings) -> Iterator[Finding]:
    """Refuse a model whose provider is not configured, if it has no other access."""
    provider, slash, _ = params["model"].partition("/")
    if not slash or provider not in _COMMON or provider in settings.service.providers:
        return
    in_sight = (
        any(key in _ACCESS for key in params),
        any(name.startswith(f"{provider.upper()}_") for name in _of_the_file(settings)),
    )
    if not any(in_sight):
        message = (
            f"{provider} is not among service.providers, so the tasks have no access to it; add it there"
        )
        place = ("model_list", index, "litellm_params", "model")
        yield _in_config(message, *place, also=_GIVING)


def _references(settings: Settings) -> Iterator[Finding]:
    """Refuse references to variables that nothing sets: LiteLLM ignores them, and fails later."""
    given = given_to_tasks(settings) | unset(settings)
    for place, text in _texts(settings.service.config, ()):
        name = text.removeprefix(limits.ENVIRONMENT)
        if name == text or name in given or _is_refused_anyway(place):
            continue
        message = f"nothing sets {printable(name)} in the tasks; {_remedy(name, given)}"
        also = (*_GIVING, "network.nat_gateways", "cache")
        yield _in_config(message, *place, also=also)


def _remedy(name: str, given: frozenset[str]) -> str:
    for provider in (*_COMMON, *litellm_providers.VARIABLES):
        if name in litellm_providers.VARIABLES[provider]:
            here = "" if provider in _COMMON else f", or name {name} in service.secrets"
            return f"add {provider} to service.providers{here}"
    if name in limits.CACHE_VARIABLES:
        how = " and cache.transit_encryption: required" if name == "REDIS_PASSWORD" else ""
        return f"it comes with cache.enabled: true{how}"
    secret = names_a_secret(name)
    alike = sorted(one for one in given if names_a_secret(one) == secret)
    if meant := near(name, alike, 0.8):
        return f"did you mean {meant}?"
    if secret:
        return "name it in service.secrets, and put its value in: `gatestack secret set ENV NAME`"
    return "set it in service.environment, or name it in service.secrets"


def _is_refused_anyway(place: Place) -> bool:
    """Whether *place* has a finding of its own, whatever its value."""
    judged = ("master_key", *limits.FORBIDDEN_GENERAL_SETTINGS)
    return place in {("general_settings", key) for key in judged}


def _of_the_file(settings: Settings) -> tuple[str, ...]:
    """Return the variables that tasks get only because of the file."""
    service = settings.service
    return (*service.environment, *_set_by_file(service), *task_secrets.injected(settings))


def _set_by_file(service: Service) -> tuple[str, ...]:
    """Return the variables that LiteLLM sets from its file (LiteLLM docs, "environment_variables")."""
    variables = service.config.get("environment_variables")
    return tuple(variables) if isinstance(variables, Mapping) else ()


def _custom_code(config: Mapping[str, object]) -> Iterator[tuple[Place, str]]:
    keys = {"litellm_settings": limits.CALLBACKS, "general_settings": limits.CUSTOM_CODE}
    for place, text in _texts({section: config.get(section) for section in keys}, ()):
        if len(place) > 1 and place[1] in keys[str(place[0])] and re.fullmatch(_PYTHON, text):
            yield place, text


def _texts(value: object, place: Place) -> Iterator[tuple[Place, str]]:
    """Yield every text in *value* with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _texts(item, (*place, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*place, index))


def _literal_secrets(config: Mapping[str, object]) -> Iterator[Place]:
    """Yield the place of each secret that is written in LiteLLM's file itself."""
    for there, text in _texts(config, ()):
        secret = is_secret(text) or sets_a_secret(str(there[-1]))
        reference = re.fullmatch(_REFERENCE, text)
        if secret and not reference and not _is_refused_anyway(there):
            yield there


def _in_config(message: str, *below: str | int, also: tuple[str, ...] = ()) -> Finding:
    return Finding("service.config", message, also, below)
