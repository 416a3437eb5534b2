"""
AWS models in config.yaml: by provider, by route, by ARN. Pure.

Sources: litellm/litellm_core_utils/get_llm_provider_logic.py, litellm/llms/bedrock/common_utils.py
(`get_bedrock_route`), litellm/llms/bedrock/base_aws_llm.py (`get_bedrock_model_id`), the handlers of
litellm/llms/bedrock, bedrock_mantle, sagemaker and aws_polly; "Routes" of LiteLLM's docs on Bedrock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from stacks.calls import bedrock
from stacks.calls.call import Call, Grant, arn
from stacks.checking import limits
from stacks.systems.litellm_aws import batches
from stacks.systems.litellm_aws.identity import Identity, calls, identity, is_foreign
from stacks.systems.litellm_aws.values import Params, Unclear

ROUTES: Final = frozenset(
    {
        *("converse", "converse_like", "invoke", "openai", "async_invoke"),
        *("mantle", "claude_platform", "agent", "agentcore"),
    }
)
SPECS: Final = frozenset(
    {
        *("ai21", "amazon", "anthropic", "cohere", "deepseek_r1", "llama", "meta", "mistral", "moonshot"),
        *("nova", "nova-2", "qwen2", "qwen3", "stability", "twelvelabs"),
    }
)
"""Prefixes of an ARN that name the format of its model."""
_INVOKE: Final = bedrock.INVOKE[0]


def provider_of(model: str, said: object = None) -> tuple[str, str]:
    """Return the provider of *model*, and its name there; *said*: its custom_llm_provider."""
    first, slash, rest = model.partition("/")
    if slash and first in PROVIDERS:
        return first, rest
    if isinstance(said, str) and said in PROVIDERS:
        return said, model
    if not slash and bedrock.is_known(model):
        return "bedrock", model
    return (first, rest) if slash else ("", model)


def model_calls(params: Params) -> Iterator[Call]:
    """
    Yield the calls that the model of *params* implies; none if it is not AWS's.

    Raises:
        Unclear: no permission follows.

    """
    model = params.text("model")
    if not isinstance(model, str) or params.values.get("mock_response"):
        return
    provider, name = provider_of(model, params.values.get("custom_llm_provider"))
    if provider in PROVIDERS:
        yield from PROVIDERS[provider](name, params)


def _bedrock(name: str, params: Params) -> Iterator[Call]:
    route, region, name = _parted(name, params)
    if route in _OTHER_ROUTES:
        yield from _OTHER_ROUTES[route](name, params)
        return
    allowed = params.known.settings.service.bedrock_models
    names = allowed if "*" in name else (_model_id(name, params),)
    if not names:
        raise Unclear(
            f"{name} is every model there is; name those that clients may ask for in service.bedrock_models",
            *params.below,
            "model",
            allow=_INVOKE,
        )
    for one in names:
        yield from _invoked(one, route, region, params)


def _invoked(name: str, route: str, region: str | None, params: Params) -> Iterator[Call]:
    own_region = bedrock.region_of(name)
    who = _bearer(params, identity(params, _INVOKE, region=own_region or region))
    if own_region and own_region != who.region:
        raise Unclear(
            f"{who.region} is not the region of {name}; leave it out", *params.below, "aws_region_name"
        )
    try:
        needs = bedrock.needs(name, who.region)
    except ValueError as error:
        message = f"{error}; allow {_INVOKE} in service.task_policy if it is right"
        raise Unclear(message, *params.below, "model", allow=_INVOKE) from None
    elsewhere = is_foreign(
        params, "api_base", "aws_bedrock_runtime_endpoint", variable="AWS_BEDROCK_RUNTIME_ENDPOINT"
    )
    if "rerank" in name:
        yield from calls(who, params, "bedrock-agent-runtime", *needs, _RERANK, elsewhere=elsewhere)
        return
    yield from calls(who, params, "bedrock-runtime", *needs, elsewhere=elsewhere)
    yield from _guarded(who, params)
    if route == "async_invoke":
        yield from batches.asynchronous(who, params)
    yield from batches.batch(name, who, params)


def _parted(name: str, params: Params) -> tuple[str, str | None, str]:
    """Return route, region and model of what stands after ``bedrock/``."""
    route, region = "", None
    while "/" in name and not name.startswith("arn:"):
        first, _, rest = name.partition("/")
        if re.fullmatch(limits.REGION, first):
            region = first
        elif first in ROUTES:
            route = first
            if route == "agent":
                return route, region, rest
        elif first not in SPECS:
            message = f"{first} is no route, region or format of Bedrock's that LiteLLM knows"
            raise Unclear(message, *params.below, "model", allow=_INVOKE)
        name = rest
    return route, region, re.sub(r"\[\w+\]$", "", name)


def _model_id(name: str, params: Params) -> str:
    """
    Return ``model_id``, which replaces the model's name: the ARN of a profile, of provisioned throughput.
    """
    return params.clear("model_id", _INVOKE) or name


def _bearer(params: Params, who: Identity) -> Identity:
    """Return who calls: with an API key of Bedrock's an IAM user, and not the tasks' role."""
    key = params.text("api_key") or params.known.variable("AWS_BEARER_TOKEN_BEDROCK")
    return Identity(who.region, None, own=False) if key else who


def _guarded(who: Identity, params: Params) -> Iterator[Call]:
    """Yield the calls of the guardrail that Bedrock applies in the same request, if any."""
    guard = params.section("guardrailConfig")
    found = guard.clear("guardrailIdentifier", "bedrock:ApplyGuardrail")
    if found:
        yield from calls(who, params, "bedrock-runtime", guardrail(found, who.region))


def guardrail(identifier: str, region: str) -> Grant:
    """Return what applying the guardrail needs; *identifier*: its id or its ARN."""
    whole = identifier if identifier.startswith("arn:") else arn("bedrock", region, f"guardrail/{identifier}")
    return Grant("ApplyGuardrails", ("bedrock:ApplyGuardrail",), (whole,))


def _agent(name: str, params: Params) -> Iterator[Call]:
    """An agent's id and its alias's."""
    who = _bearer(params, identity(params, "bedrock:InvokeAgent"))
    if not re.fullmatch(r"[A-Za-z0-9]+/[A-Za-z0-9]+", name):
        raise Unclear(f"{name} is not AGENT_ID/ALIAS_ID", *params.below, "model")
    need = Grant(
        "InvokeAgents", ("bedrock:InvokeAgent",), (arn("bedrock", who.region, f"agent-alias/{name}"),)
    )
    elsewhere = is_foreign(params, "api_base", "aws_bedrock_runtime_endpoint")
    yield from calls(who, params, "bedrock-agent-runtime", need, elsewhere=elsewhere)


def _agentcore(name: str, params: Params) -> Iterator[Call]:
    """The runtime and its endpoint, DEFAULT where none is named; a key is a token of the runtime's own."""
    found = re.fullmatch(r"arn:aws[a-z-]*:bedrock-agentcore:([a-z0-9-]+):[0-9]{12}:runtime/[\w-]+", name)
    if found is None:
        raise Unclear(f"{name} is not the ARN of an AgentCore runtime", *params.below, "model")
    who = identity(params, "bedrock-agentcore:InvokeAgentRuntime", region=found[1])
    if params.text("api_key"):
        who = Identity(who.region, None, own=False)
    elsewhere = is_foreign(params, "api_base")
    needs = [runtime(name, str(params.text("qualifier") or "DEFAULT"))]
    if params.text("runtimeUserId"):
        needs.append(Grant("InvokeRuntimesForUsers", _FOR_USERS, needs[0].resources))
    yield from calls(who, params, "bedrock-agentcore", *needs, elsewhere=elsewhere)


def runtime(whole: str, endpoint: str) -> Grant:
    """Return what invoking an AgentCore runtime needs, by its ARN and the name of its endpoint."""
    return Grant(
        "InvokeRuntimes",
        ("bedrock-agentcore:InvokeAgentRuntime",),
        (whole, f"{whole}/runtime-endpoint/{endpoint}"),
    )


def _mantle(_: str, params: Params) -> Iterator[Call]:
    """The models are not resources there, projects are; LiteLLM names none."""
    who = identity(params, "bedrock-mantle:CreateInference")
    if params.text("api_key") or any(
        params.known.variable(name) for name in ("BEDROCK_MANTLE_API_KEY", "AWS_BEARER_TOKEN_BEDROCK")
    ):
        who = Identity(who.region, None, own=False)
    need = Grant(
        "InferByMantle",
        ("bedrock-mantle:CreateInference",),
        (arn("bedrock-mantle", who.region, "project/*"),),
    )
    elsewhere = is_foreign(params, "api_base", "aws_bedrock_runtime_endpoint")
    yield from calls(who, params, "bedrock-mantle", need, elsewhere=elsewhere)


def _claude_platform(_: str, params: Params) -> Iterator[Call]:
    action = "aws-external-anthropic:CreateInference"
    who = identity(params, action)
    if params.text("api_key") or params.known.variable("ANTHROPIC_AWS_API_KEY"):
        who = Identity(who.region, None, own=False)
    workspace = params.text(*_WORKSPACE) or params.known.variable("ANTHROPIC_AWS_WORKSPACE_ID")
    if who.own and not isinstance(workspace, str):
        message = f"names no workspace; write workspace_id, or allow {action} in service.task_policy"
        raise Unclear(message, *params.below, "model", allow=action)
    resource = arn("aws-external-anthropic", who.region, f"workspace/{workspace}")
    need = Grant("InferByClaudePlatform", (action,), (resource,))
    yield from calls(who, params, "aws-external-anthropic", need, elsewhere=is_foreign(params, "api_base"))


def _sagemaker(name: str, params: Params) -> Iterator[Call]:
    """ARNs of endpoints are in lower case, whatever their names are (SageMaker API Reference, Endpoint)."""
    who = identity(params, "sagemaker:InvokeEndpoint")
    if not re.fullmatch(r"[A-Za-z0-9](-*[A-Za-z0-9]){0,62}", name):
        message = f"{name} is no name of a SageMaker endpoint"
        raise Unclear(message, *params.below, "model", allow="sagemaker:InvokeEndpoint")
    resources = [arn("sagemaker", who.region, f"endpoint/{name.lower()}")]
    component = params.clear("model_id", "sagemaker:InvokeEndpoint")
    if component:
        resources.append(arn("sagemaker", who.region, f"inference-component/{component.lower()}"))
    need = Grant("InvokeEndpoints", _SAGEMAKER, tuple(resources))
    elsewhere = is_foreign(params, "sagemaker_base_url")
    yield from calls(who, params, "sagemaker.runtime", need, elsewhere=elsewhere)


def _polly(_: str, params: Params) -> Iterator[Call]:
    """Speech is no resource: the action knows lexicons only, which LiteLLM does not use."""
    who = identity(params, "polly:SynthesizeSpeech")
    need = Grant("SynthesizeSpeech", ("polly:SynthesizeSpeech",), ("*",))
    yield from calls(who, params, "polly", need)


_Reader = Callable[[str, Params], Iterator[Call]]
_OTHER_ROUTES: Mapping[str, _Reader] = {
    "agent": _agent,
    "agentcore": _agentcore,
    "mantle": _mantle,
    "claude_platform": _claude_platform,
}
PROVIDERS: Final[Mapping[str, _Reader]] = {
    "bedrock": _bedrock,
    "bedrock_mantle": _mantle,
    "sagemaker": _sagemaker,
    "sagemaker_chat": _sagemaker,
    "sagemaker_nova": _sagemaker,
    "aws_polly": _polly,
}
"""Providers of AWS's -> how their models are read."""
_SAGEMAKER = ("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream")
_FOR_USERS = ("bedrock-agentcore:InvokeAgentRuntimeForUser",)
_RERANK = Grant("Rerank", ("bedrock:Rerank",), ("*",))
"""The action knows no resource (Service Authorization Reference, "Amazon Bedrock")."""
_WORKSPACE = ("workspace_id", "aws_workspace_id", "anthropic-workspace-id", "anthropic_workspace_id")
