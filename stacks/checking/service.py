"""Consistency of the service's keys: size, tasks, providers, variables. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from stacks.application import Application
from stacks.calls.reading import reading
from stacks.checking import limits
from stacks.checking.deployment import deployment_findings
from stacks.checking.problems import Finding
from stacks.checking.secret_texts import is_secret, names_a_secret
from stacks.checking.tasks.sidecars import sidecar_findings
from stacks.checking.tasks.task_policy import task_policy_findings
from stacks.checking.texts import INSTEAD
from stacks.checking.variables import parameter_findings, source_findings, task_secret_findings
from stacks.sections.operation import Dispatcher
from stacks.settings import Service, Settings
from stacks.systems import application

PROVIDER_NAMES = {"openai": "OpenAI", "anthropic": "Anthropic", "bedrock": "Bedrock"}
"""Model provider -> what it calls itself."""


def service_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong between the keys of `service`."""
    service = settings.service
    yield from _size("service", service)
    if settings.dispatcher.enabled:
        yield from _size("dispatcher", settings.dispatcher)
    yield from _tasks(service)
    yield from _providers(settings)
    yield from reading(settings).findings
    yield from _callable(service, application(settings.system).providers)
    yield from _variables(service.environment, application(settings.system))
    yield from parameter_findings(settings)
    yield from task_secret_findings(settings)
    yield from source_findings(settings)
    yield from deployment_findings(settings)
    yield from sidecar_findings(settings)
    yield from task_policy_findings(settings)
    if re.search(limits.MALICIOUS_RELEASE, service.image_tag):
        yield Finding(
            "service.image_tag",
            f"{service.image_tag} was published with stolen credentials; use another release",
        )


def _size(section: str, task: Service | Dispatcher) -> Iterator[Finding]:
    allowed = limits.FARGATE_MEMORY_MB[task.cpu]
    if task.memory_mb not in allowed:
        message = f"Fargate has no {task.memory_mb} MB with {task.cpu} CPU units; {_listed(allowed)}"
        yield Finding(f"{section}.memory_mb", message, (f"{section}.cpu",))


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


def _providers(settings: Settings) -> Iterator[Finding]:
    service, keys = settings.service, ("service.providers", "service.bedrock_models", "service.config")
    if not service.providers and not service.config.get("model_list"):
        yield Finding("service.providers", "the list is empty; it needs one entry at least", keys)
    if "bedrock" in service.providers and not _names_models(settings):
        message = (
            "the provider bedrock needs the models that the tasks may invoke, as a list here or in "
            "service.config"
        )
        yield Finding("service.bedrock_models", message, keys)
    if service.bedrock_models and "bedrock" not in service.providers:
        yield Finding(
            "service.providers", "bedrock_models are configured; add bedrock here, or remove them", keys
        )
    if len(set(service.providers)) < len(service.providers):
        yield Finding("service.providers", "a provider stands twice; keep one of each")


def _names_models(settings: Settings) -> bool:
    return any(one.endpoint.startswith("bedrock-") for one in reading(settings).calls)


def _callable(service: Service, known: tuple[str, ...]) -> Iterator[Finding]:
    if not set(service.providers) <= set(known):
        names = " and ".join(PROVIDER_NAMES[name] for name in known)
        message = f"it calls {names} only; write [{', '.join(known)}], or leave it out"
        yield Finding("service.providers", message, ("service.bedrock_models",))


def _variables(variables: Mapping[str, str], known: Application) -> Iterator[Finding]:
    for name, value in variables.items():
        if not re.fullmatch(limits.VARIABLE, name):
            message = "a variable's name has letters, digits and _, and begins with no digit"
        elif name in known.reserved:
            message = "gatestack sets this variable itself; remove it"
        elif names_a_secret(name) or is_secret(value):
            message = f"looks like a secret, and this file is none; {INSTEAD}"
        else:
            continue
        yield Finding("service.environment", message, below=(name,))
