"""Reads all AWS calls from config.yaml, section by section. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from stacks import task_secrets
from stacks.calls.call import Call, Reading
from stacks.checking import limits
from stacks.checking.problems import Finding, spelled
from stacks.settings import Settings
from stacks.systems import application
from stacks.systems.litellm_aws import logs, others
from stacks.systems.litellm_aws.identity import ASSUME, KEY
from stacks.systems.litellm_aws.models import PROVIDERS, model_calls, provider_of
from stacks.systems.litellm_aws.values import Known, Params, Unclear

_ALSO = ("region", "service.environment", "service.bedrock_models", "service.task_policy", "service.image")
_SEMANTIC = tuple(f"{one}_semantic_cache_embedding_model" for one in ("redis", "valkey", "qdrant"))


def reading(settings: Settings) -> Reading:
    """Return the calls that config.yaml implies, with errors and warnings about them."""
    config = Params(Known(settings), settings.service.config, ())
    calls: list[Call] = []
    findings: list[Finding] = []
    for part in _parts(config, recorded=settings.observability.prompt_logs.recorded):
        try:
            calls += part
        except Unclear as unclear:
            if not _is_allowed(settings, unclear.allow):
                findings.append(Finding(KEY, unclear.message, _ALSO, unclear.below))
    return Reading(tuple(calls), tuple(findings), (*_unknown_credentials(config), *_trust(settings, calls)))


def _parts(config: Params, *, recorded: bool) -> Iterator[Iterable[Call]]:
    """Yield the reading of each entry; an error in one does not prevent reading the others."""
    for entry in config.items("model_list"):
        yield from _model(entry, config)
    settings = config.section("litellm_settings")
    yield logs.logged(settings, recorded=recorded)
    yield logs.cached(settings)
    for name in _SEMANTIC:
        params = settings.section("cache_params")
        if params.values.get(name) not in _groups(config):
            yield others.embedded(params, name)
    general = config.section("general_settings")
    yield others.kept(general, frozenset(_unset(config)))
    for key in limits.CUSTOM_CODE:
        yield logs.code(general, str(general.values.get(key)))
    for entry in config.items("guardrails"):
        params = entry.section("litellm_params")
        yield others.guarded(params)
        yield logs.code(params, str(params.values.get("guardrail")))
    for entry in config.items("vector_store_registry"):
        yield others.stored(_with_credential(entry.section("litellm_params"), config))
    for entry in config.items("agent_list"):
        yield model_calls(entry.section("litellm_params"))
    servers = config.section("mcp_servers")
    for name in servers.values:
        yield others.served(servers.section(str(name)))
    yield _defaults(config.section("router_settings").section("default_litellm_params"))


def _model(entry: Params, config: Params) -> Iterator[Iterable[Call]]:
    params = _with_credential(entry.section("litellm_params"), config)
    if not _is_unknown(params, config):
        yield model_calls(params)
        health = entry.section("model_info").text("health_check_model")
        if isinstance(health, str):
            values = {**params.values, "model": health}
            yield model_calls(
                Params(params.known, values, (*entry.below, "model_info", "health_check_model"))
            )


def _defaults(params: Params) -> Iterator[Call]:
    """The router's defaults override a model's own values, other than readers expect."""
    for name in params.values:
        if str(name).startswith("aws_"):
            message = "write it at each model: here it takes the place of what models say themselves"
            raise Unclear(message, *params.below, str(name))
    yield from ()


def _with_credential(params: Params, config: Params) -> Params:
    """Return *params* with the values of the credential that they name, where they say nothing themselves."""
    named = params.values.get("litellm_credential_name")
    for entry in config.items("credential_list") if named else ():
        if entry.values.get("credential_name") == named:
            return params.over(entry.section("credential_values").values)
    return params


def _is_unknown(params: Params, config: Params) -> bool:
    """Whether *params* name a credential missing in this file: it may be in the database."""
    named = params.values.get("litellm_credential_name")
    return bool(named) and named not in {
        entry.values.get("credential_name") for entry in config.items("credential_list")
    }


def _unknown_credentials(config: Params) -> Iterator[str]:
    for entry in config.items("model_list"):
        params = entry.section("litellm_params")
        provider, _ = provider_of(str(params.values.get("model")), params.values.get("custom_llm_provider"))
        if provider in PROVIDERS and _is_unknown(params, config):
            yield (
                f"{spelled(('service', 'config', *params.below))}: the credential "
                f"{params.values['litellm_credential_name']} is not in credential_list: what it calls AWS "
                "with, this file does not say, and the tasks' role gets no permission for it"
            )


def _groups(config: Params) -> frozenset[object]:
    return frozenset(str(entry.values.get("model_name")) for entry in config.items("model_list"))


def unset(settings: Settings) -> frozenset[str]:
    """Return the variables that nothing sets in the tasks: LiteLLM asks a secret manager of AWS for them."""
    config = Params(Known(settings), settings.service.config, ())
    params = config.section("general_settings")
    if params.values.get("key_management_system") != "aws_secret_manager":
        return frozenset()
    mode = params.section("key_management_settings").values.get("access_mode")
    return frozenset(_unset(config)) if mode != "write_only" else frozenset()


def _unset(config: Params) -> Iterator[str]:
    known = config.known
    settings = known.settings
    injected = application(settings.system).entrance.injected(settings)
    given = {*task_secrets.injected(settings), *injected, *limits.OWN_VARIABLES, *limits.CACHE_VARIABLES}
    for text in _texts(config.values):
        name = text.removeprefix(limits.ENVIRONMENT)
        if name != text and known.variable(name) is None and name not in given:
            yield name


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _is_allowed(settings: Settings, action: str) -> bool:
    """Whether service.task_policy allows *action*: permissions outside config.yaml are there."""
    said = [one for one in settings.service.task_policy if one.effect == "Allow"]
    return any(action and fnmatchcase(action.lower(), each.lower()) for one in said for each in one.actions)


def _trust(settings: Settings, calls: list[Call]) -> Iterator[str]:
    """Yield what each role has to allow, which gatestack cannot do: without it each call fails."""
    tasks = f"the role of {settings.stack_name('security')}'s output TaskRoleArn"
    for role in dict.fromkeys(one.role for one in calls if one.role):
        called = [one for one in calls if one.role == role]
        actions = sorted({action for one in called for need in one.needs for action in need.actions})
        where = spelled(("service", "config", *called[0].below))
        yield (
            f"{where}: account {role.split(':')[4]} has to let the tasks in: the trust policy of {role} has "
            f"to allow {ASSUME} to {tasks}, and its own policies {', '.join(actions)}"
        )
