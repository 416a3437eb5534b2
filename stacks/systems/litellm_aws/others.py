"""
AWS guardrails, vector stores, secret managers and MCP servers in config.yaml. Pure.

Sources: litellm/proxy/guardrails/guardrail_hooks/bedrock_guardrails.py, litellm/llms/bedrock/vector_stores,
litellm/llms/s3_vectors, litellm/secret_managers/aws_secret_manager_v2.py and aws_secret_manager.py,
litellm/experimental_mcp_client/client.py (`MCPSigV4Auth`); Service Authorization Reference of each service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote, urlsplit

from stacks.calls.call import Call, Grant, arn
from stacks.systems.litellm_aws.identity import Identity, calls, identity, is_foreign
from stacks.systems.litellm_aws.models import guardrail, model_calls, runtime
from stacks.systems.litellm_aws.values import Params, Unclear

FETCH: Final = "secretsmanager:GetSecretValue"
_WRITES: Final = ("CreateSecret", "PutSecretValue", "DeleteSecret")


def guarded(params: Params) -> Iterator[Call]:
    """Yield what a guardrail's litellm_params call: Bedrock's alone are AWS's."""
    if params.values.get("guardrail") != "bedrock":
        return
    action = "bedrock:ApplyGuardrail"
    who = identity(params, action)
    if params.text("api_key") or params.known.variable("AWS_BEARER_TOKEN_BEDROCK"):
        who = Identity(who.region, None, own=False)
    found = params.clear("guardrailIdentifier", action)
    if found is None or not re.fullmatch(
        r"[a-z0-9]+|arn:aws[a-z-]*:bedrock:[^\s*?]+:guardrail/[a-z0-9]+", found
    ):
        message = f"{found} is not the id of a guardrail of Bedrock's, nor its ARN"
        raise Unclear(message, *params.below, "guardrailIdentifier")
    elsewhere = is_foreign(params, "api_base", "aws_bedrock_runtime_endpoint")
    yield from calls(who, params, "bedrock-runtime", guardrail(found, who.region), elsewhere=elsewhere)


def stored(params: Params) -> Iterator[Call]:
    """Yield what a vector store's litellm_params call: a knowledge base of Bedrock's, an index of S3's."""
    provider = params.values.get("custom_llm_provider")
    if provider == "bedrock":
        who = identity(params, "bedrock:Retrieve")
        found = params.clear("vector_store_id", "bedrock:Retrieve")
        if found is None or not re.fullmatch(r"[0-9A-Za-z]+", found):
            message = f"{found} is not the id of a knowledge base"
            raise Unclear(message, *params.below, "vector_store_id")
        whole = arn("bedrock", who.region, f"knowledge-base/{found}")
        need = Grant("RetrieveKnowledge", ("bedrock:Retrieve",), (whole,))
        yield from calls(who, params, "bedrock-agent-runtime", need)
    elif provider == "s3_vectors":
        yield from _vectors(params)


def _vectors(params: Params) -> Iterator[Call]:
    """The query returns metadata, which needs GetVectors too; its text is embedded first."""
    action = "s3vectors:QueryVectors"
    who = identity(params, action)
    name = params.clear("vector_store_id", action) or ""
    bucket, colon, index = name.partition(":")
    if not colon:
        bucket, index = params.clear("vector_bucket_name", action) or "", name
    if not re.fullmatch(r"[a-z0-9-]+/[a-z0-9.-]+", f"{bucket}/{index}"):
        raise Unclear(f"{name} is not BUCKET:INDEX", *params.below, "vector_store_id")
    need = Grant(
        "QueryVectors",
        (action, "s3vectors:GetVectors"),
        (arn("s3vectors", who.region, f"bucket/{bucket}/index/{index}"),),
    )
    yield from calls(who, params, "s3vectors", need)
    yield from embedded(params, "embedding_model")


def embedded(params: Params, name: str) -> Iterator[Call]:
    """Yield the call of the model *name*: it is called without parameters of its own."""
    model = params.text(name)
    if isinstance(model, str) and "*" not in model:
        yield from model_calls(Params(params.known, {"model": model}, (*params.below, name)))


def kept(general: Params, references: frozenset[str]) -> Iterator[Call]:
    """
    Yield what the secret manager of *general*, general_settings, calls.

    *references*: the variables that the file refers to and nothing sets; without hosted_keys, they are all
    looked up there.

    Raises:
        Unclear: the keys of KMS are in ciphertexts, which no file names.

    """
    system = general.values.get("key_management_system")
    if system == "aws_kms":
        raise Unclear(
            "which key of KMS decrypts, the ciphertexts say and no file; allow kms:Decrypt on it in "
            "service.task_policy",
            *general.below,
            "key_management_system",
            allow="kms:Decrypt",
        )
    if system != "aws_secret_manager":
        return
    params = general.section("key_management_settings")
    who = identity(params, FETCH)
    mode = params.values.get("access_mode") or "read_only"
    needs = []
    if mode in {"read_only", "read_and_write"} and (names := _read(params, references)):
        resources = tuple(_secret(name, who.region) for name in names)
        needs.append(Grant("ReadConfiguredSecrets", (FETCH,), resources))
    if mode in {"write_only", "read_and_write"} and params.values.get("store_virtual_keys"):
        needs.append(_written(params, who.region))
    if needs:
        yield from calls(who, params, "secretsmanager", *needs)


def _read(params: Params, references: frozenset[str]) -> list[str]:
    primary = params.clear("primary_secret_name", FETCH)
    hosted = params.values.get("hosted_keys")
    return (
        [primary]
        if primary
        else [str(one) for one in (hosted if isinstance(hosted, list) else sorted(references))]
    )


def _secret(name: str, region: str) -> str:
    """Six characters end a secret's ARN (AWS Secrets Manager User Guide, "Permissions policy examples")."""
    return name if name.startswith("arn:") else arn("secretsmanager", region, f"secret:{name}-??????")


def _written(params: Params, region: str) -> Grant:
    prefix = params.clear("prefix_for_stored_virtual_keys", "secretsmanager:CreateSecret") or "litellm/"
    actions = [*_WRITES, "GetSecretValue"]
    actions += ["TagResource"] if params.values.get("tags") else []
    actions += ["ReplicateSecretToRegions"] if params.values.get("replica_regions") else []
    whole = arn("secretsmanager", region, f"secret:{prefix}*")
    return Grant("StoreVirtualKeys", tuple(f"secretsmanager:{one}" for one in actions), (whole,))


def served(params: Params) -> Iterator[Call]:
    """Yield the calls of an MCP server with AWS's signatures; LiteLLM's default is us-east-1."""
    if params.values.get("auth_type") != "aws_sigv4":
        return
    service = str(params.text("aws_service_name") or "bedrock-agentcore")
    allow = {"bedrock-agentcore": "bedrock-agentcore:InvokeGateway"}.get(service, f"{service}:Invoke")
    who = identity(params, allow, region="us-east-1")
    url = params.clear("url", allow) or ""
    host, path = urlsplit(url).hostname or "", urlsplit(url).path
    there = next(
        (part for part in host.split(".") if re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-[0-9]", part)), None
    )
    if there and there != who.region:
        message = f"{who.region} signs for another region than {host} is in; write {there}"
        raise Unclear(message, *params.below, "aws_region_name")
    found = _server(service, host, path, who.region)
    if found is None:
        message = f"what {service} asks for at {host} is not known here; allow it in service.task_policy"
        raise Unclear(message, *params.below, "url", allow=allow)
    endpoint, need = found
    yield from calls(who, params, endpoint, need)


def _server(service: str, host: str, path: str, region: str) -> tuple[str, Grant] | None:
    """Return endpoint and permission of a gateway, a runtime, an API with IAM's authorization."""
    first = host.split(".", maxsplit=1)[0]
    if service == "bedrock-agentcore" and ".gateway.bedrock-agentcore." in host:
        whole = arn("bedrock-agentcore", region, f"gateway/{first}")
        gateway = Grant("InvokeGateways", ("bedrock-agentcore:InvokeGateway",), (whole,))
        return "bedrock-agentcore.gateway", gateway
    agent = re.fullmatch(r"/runtimes/(arn:[^/]+:runtime/[\w-]+)/invocations", unquote(path))
    if service == "bedrock-agentcore" and agent:
        return "bedrock-agentcore", runtime(agent[1], "DEFAULT")
    if service == "execute-api" and ".execute-api." in host:
        return "execute-api", Grant(
            "InvokeApis", ("execute-api:Invoke",), (arn("execute-api", region, f"{first}/*"),)
        )
    return None
