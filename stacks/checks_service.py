"""What the service's keys must agree on: size, number of tasks, providers, variables, LiteLLM's own file. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stacks import limits
from stacks.problems import Finding
from stacks.settings import Service, Settings


def service_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong between the keys of `service`."""
    service = settings.service
    yield from _size(service)
    yield from _tasks(service)
    yield from _providers(service)
    yield from _variables(service.environment)
    yield from _config(service.config)
    if re.search(limits.MALICIOUS_RELEASE, service.image_tag):
        yield Finding("service.image_tag", f"{service.image_tag} was published with stolen credentials; use another release")


def _size(service: Service) -> Iterator[Finding]:
    allowed = limits.FARGATE_MEMORY_MB[service.cpu]
    if service.memory_mb not in allowed:
        message = f"Fargate has no {service.memory_mb} MB with {service.cpu} CPU units; {_listed(allowed)}"
        yield Finding("service.memory_mb", message, ("service.cpu",))


def _listed(sizes: tuple[int, ...]) -> str:
    """Return all of few *sizes*, or the first two and the last of many."""
    if len(sizes) <= 8:
        return ", ".join(map(str, sizes))
    return f"{sizes[0]} to {sizes[-1]} in steps of {sizes[1] - sizes[0]}"


def _tasks(service: Service) -> Iterator[Finding]:
    low, wanted, high = service.min_tasks, service.desired_count, service.max_tasks
    keys = ("service.min_tasks", "service.desired_count", "service.max_tasks")
    if low > high:
        yield Finding("service.min_tasks", f"{low} is more than max_tasks, {high}", keys)
    elif not low <= wanted <= high:
        message = f"{wanted} is not between min_tasks, {low}, and max_tasks, {high}"
        yield Finding("service.desired_count", message, keys)


def _providers(service: Service) -> Iterator[Finding]:
    keys = ("service.providers", "service.bedrock_models")
    if "bedrock" in service.providers and not service.bedrock_models:
        message = "the provider bedrock needs the models that the tasks may invoke, as a list here"
        yield Finding("service.bedrock_models", message, keys)
    if service.bedrock_models and "bedrock" not in service.providers:
        yield Finding("service.providers", "bedrock_models are configured; add bedrock here, or remove them", keys)
    if len(set(service.providers)) < len(service.providers):
        yield Finding("service.providers", "a provider stands twice; keep one of each")


def _variables(variables: Mapping[str, str]) -> Iterator[Finding]:
    for name in variables:
        key = f"service.environment.{name}"
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            yield Finding(key, "a variable's name has letters, digits and _, and begins with no digit")
        elif name in limits.TEMPLATE_VARIABLES:
            yield Finding(key, "gatestack sets this variable itself; remove it")
        elif name.upper().endswith(limits.SECRET_SUFFIXES):
            yield Finding(key, "looks like a secret, and this file is none; put it in the api-keys secret")


def _config(config: Mapping[str, object]) -> Iterator[Finding]:
    key = "service.config"
    yield from _literal_secrets(config, key)
    models = config.get("model_list", [])
    if not isinstance(models, list):
        yield Finding(f"{key}.model_list", "expected a list of models")
        return
    for index, model in enumerate(models):
        yield from _model(model, f"{key}.model_list[{index}]")
    general = config.get("general_settings")
    if not isinstance(general, Mapping) or general.get("master_key") != limits.MASTER_KEY:
        yield Finding(f"{key}.general_settings.master_key", f"must be {limits.MASTER_KEY}, the key that gatestack makes")


def _model(model: object, key: str) -> Iterator[Finding]:
    if not isinstance(model, Mapping):
        yield Finding(key, "expected model_name and litellm_params")
        return
    if not isinstance(model.get("model_name"), str):
        yield Finding(key, "needs model_name: the name that clients ask for")
    params = model.get("litellm_params")
    if not isinstance(params, Mapping) or not isinstance(params.get("model"), str):
        yield Finding(key, "needs litellm_params with model: provider/name, like openai/gpt-4o")


def _literal_secrets(value: Any, key: str) -> Iterator[Finding]:
    """Yield each secret that stands in LiteLLM's file itself, never showing it."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _literal_secrets(item, f"{key}[{index}]")
    if not isinstance(value, Mapping):
        return
    for name, item in value.items():
        here = f"{key}.{name}"
        if isinstance(item, str) and re.search(limits.SECRET_CONFIG_KEY, name) and not item.startswith("os.environ/"):
            yield Finding(here, "a secret may not stand in this file; write os.environ/NAME")
        yield from _literal_secrets(item, here)
