"""The record of requests: bucket, rights, LiteLLM's file, traces, what is refused and told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployer.stateful import STATEFUL
from generator.render import render
from stacks import security
from stacks.checking.advice import advice
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from tests.linted import check
from tests.stacks.finders import exports, properties, resource

CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
CLOSED = {
    "network": {"nat_gateways": 0},
    "service": {"providers": ["bedrock"], "bedrock_models": ["anthropic.claude-3-haiku-20240307-v1:0"]},
}


def load(logs: dict[str, Any] | None = None, /, **sections: Any) -> Settings:
    file = {"system": "litellm", "environment": "dev", "alb": {"internal": True}} | sections
    observability = {"prompt_logs": {"keep_days": 90} | (logs or {})} | sections.get("observability", {})
    return parse_settings(yaml.safe_dump(file | {"observability": observability}), Path("dev.yaml"))


def refused(logs: dict[str, Any], /, **sections: Any) -> list[str]:
    with pytest.raises(EnvironmentFileError) as caught:
        load(logs, **sections)
    return [str(problem) for problem in caught.value.problems]


def config(settings: Settings) -> dict[str, Any]:
    """Return config.yaml as LiteLLM gets it."""
    found: dict[str, Any] = yaml.safe_load(render(settings).files["litellm-config.yaml"])
    return found


def variables(settings: Settings) -> dict[str, Any]:
    service = next(stack for stack in render(settings).stacks if stack.name == "service")
    own = json.loads(service.template)["Resources"]["ProxyTask"]["Properties"]["ContainerDefinitions"][0]
    return {one["Name"]: one["Value"] for one in own["Environment"]}


def rights(settings: Settings) -> dict[str, dict[str, Any]]:
    (policy,) = properties(security.build(settings), "TaskRole")["Policies"]
    return {one["Sid"]: one for one in policy["PolicyDocument"]["Statement"]}


# --- bucket and rights ---------------------------------------------------------------------------


def test_by_default_nothing_is_recorded() -> None:
    settings = load({"keep_days": 0})

    assert "PromptLogBucket" not in security.build(settings).template.resources
    assert "RecordRequests" not in rights(settings)
    assert "callbacks" not in config(settings)["litellm_settings"]
    assert "PROMPT_LOG_BUCKET" not in variables(settings)


def test_prompts_have_a_bucket_of_their_own_with_the_environments_key_and_leave_it_in_time() -> None:
    stack = security.build(load())
    bucket = properties(stack, "PromptLogBucket")

    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]},
    }
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (age,) = bucket["LifecycleConfiguration"]["Rules"]
    assert age["ExpirationInDays"] == 90
    policy = properties(stack, "PromptLogBucketPolicy")["PolicyDocument"]["Statement"]
    assert [one["Sid"] for one in policy] == ["OnlyWithTls"]
    prefix = "dev-litellm-security-PromptLogBucket"
    assert exports(stack)[f"{prefix}Name"] == {"Ref": "PromptLogBucket"}
    assert exports(stack)[f"{prefix}Arn"] == {"Fn::GetAtt": ["PromptLogBucket", "Arn"]}


@pytest.mark.parametrize(("audit", "prefixes"), [(False, ["prompts"]), (True, ["prompts", "audit"])])
def test_tasks_add_objects_below_their_prefixes_and_do_nothing_else_there(
    prefixes: list[str], *, audit: bool
) -> None:
    found = rights(load({"audit": audit}))

    writes, encrypts = found["RecordRequests"], found["EncryptRecords"]
    assert writes["Action"] == ["s3:PutObject"]
    assert writes["Resource"] == [{"Fn::Sub": f"${{PromptLogBucket.Arn}}/{one}/*"} for one in prefixes]
    assert encrypts["Action"] == ["kms:GenerateDataKey"]
    assert encrypts["Condition"]["StringEquals"]["kms:EncryptionContext:aws:s3:arn"] == {
        "Fn::GetAtt": ["PromptLogBucket", "Arn"]
    }
    others = [one for sid, one in found.items() if sid not in {"RecordRequests", "EncryptRecords"}]
    assert "PromptLogBucket" not in json.dumps(others)


@pytest.mark.parametrize(("tier", "policy"), [("dev", "Delete"), ("production", "Retain")])
def test_production_keeps_the_record_when_the_stack_goes(tier: str, policy: str) -> None:
    entry = resource(security.build(load(tier=tier)), "PromptLogBucket")

    assert entry["Type"] in STATEFUL
    assert (entry["DeletionPolicy"], entry["UpdateReplacePolicy"]) == (policy, policy)


def test_with_a_trail_it_is_recorded_who_reads_prompts_and_not_each_request() -> None:
    *_, reads = properties(security.build(load(observability={"cloudtrail": True})), "Trail")[
        "AdvancedEventSelectors"
    ]

    fields = {one.pop("Field"): one for one in reads["FieldSelectors"]}
    assert fields["resources.ARN"] == {"StartsWith": [{"Fn::Sub": "${PromptLogBucket.Arn}/"}]}
    assert fields["readOnly"] == {"Equals": ["true"]}


def test_a_network_without_a_way_out_reaches_the_bucket_by_the_gateway_endpoint() -> None:
    network = next(stack for stack in render(load(**CLOSED)).stacks if stack.name == "network")
    endpoint = json.loads(network.template)["Resources"]["S3Endpoint"]["Properties"]

    ours = endpoint["PolicyDocument"]["Statement"][0]
    assert (ours["Action"], ours["Resource"]) == (["*"], ["*"])


def test_everything_at_once_is_clean() -> None:
    whole = load({"audit": True}, observability={"collector": "otel", "cloudtrail": True})

    assert check(render(whole)) == ()


# --- LiteLLM's file ------------------------------------------------------------------------------


def test_litellm_writes_each_request_to_the_bucket() -> None:
    found = config(load())["litellm_settings"]

    assert found["callbacks"] == ["s3_v2"]
    assert found["s3_callback_params"] == {
        "s3_bucket_name": "os.environ/PROMPT_LOG_BUCKET",
        "s3_region_name": "us-east-1",
        "s3_path": "prompts",
    }
    assert not {"turn_off_message_logging", "store_audit_logs"} & found.keys()
    assert "PromptLogBucketName" in json.dumps(variables(load())["PROMPT_LOG_BUCKET"])


def test_redacted_the_record_has_no_prompts_and_audit_has_its_own_prefix() -> None:
    found = config(load({"redact": True, "audit": True}))["litellm_settings"]

    assert found["turn_off_message_logging"] is True
    assert (found["store_audit_logs"], found["audit_log_callbacks"]) == (True, ["s3_v2"])
    assert found["s3_audit_callback_params"]["s3_path"] == "audit"


@pytest.mark.parametrize(
    ("own", "callbacks"),
    [
        ({"callbacks": ["prometheus"]}, ["prometheus", "s3_v2"]),
        ({"callbacks": "prometheus"}, ["prometheus", "s3_v2"]),
        ({"callbacks": ["s3_v2"]}, ["s3_v2"]),
        ({"success_callback": ["s3_v2"]}, None),
    ],
)
def test_what_the_file_says_of_callbacks_stays_and_nothing_is_recorded_twice(
    own: dict[str, Any], callbacks: list[str] | None
) -> None:
    found = config(load(service={"config": {"litellm_settings": own}}))["litellm_settings"]

    assert found.get("callbacks") == callbacks


# --- traces --------------------------------------------------------------------------------------


def test_with_the_collector_the_record_keeps_prompts_and_the_traces_have_none() -> None:
    """message_logging: false would take them out of what all callbacks share."""
    settings = load(observability={"collector": "otel"})

    assert config(settings)["litellm_settings"]["callbacks"] == ["otel", "s3_v2"]
    assert "callback_settings" not in config(settings)
    assert variables(settings)[CONTENT] == "NO_CONTENT"


@pytest.mark.parametrize("logs", [{"keep_days": 0}, {"redact": True}])
def test_where_no_prompt_is_recorded_every_release_of_litellm_keeps_it_out_of_traces(
    logs: dict[str, Any],
) -> None:
    otel = {"callback_settings": {"otel": {"attributes": {"include": ["a"]}}}}
    settings = load(logs, observability={"collector": "otel"}, service={"config": otel})

    assert config(settings)["callback_settings"]["otel"] == {
        "message_logging": False,
        "attributes": {"include": ["a"]},
    }
    assert CONTENT not in variables(settings)


def test_who_wants_prompts_in_traces_has_them() -> None:
    wanted = {"config": {"callback_settings": {"otel": {"message_logging": True}}}}
    settings = load(observability={"collector": "otel"}, service=wanted)

    assert CONTENT not in variables(settings)
    assert config(settings)["callback_settings"]["otel"] == {"message_logging": True}
    by_variable = load(observability={"collector": "otel"}, service={"environment": {CONTENT: "SPAN_ONLY"}})
    assert variables(by_variable)[CONTENT] == "SPAN_ONLY"


@pytest.mark.parametrize(
    ("tag", "logs", "so"),
    [
        ("v1.88.0", {}, True),
        ("1.92.9-stable", {}, True),
        ("v1.93.0", {}, False),
        ("v1.100.2", {}, False),
        ("v2.0.0", {}, False),
        ("team-7", {}, False),
        ("v1.88.0", {"redact": True}, False),
    ],
)
def test_a_release_that_would_send_prompts_to_xray_is_refused(
    tag: str, logs: dict[str, Any], *, so: bool
) -> None:
    sections = {"observability": {"collector": "otel"}, "service": {"image_tag": tag}}
    if not so:
        assert load(logs, **sections)
        return
    (said,) = refused(logs, **sections)
    assert said.startswith(
        f"service.image_tag: {tag} does not know {CONTENT}: with prompt_logs it would send"
    )


# --- what is refused and told --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("logs", "config", "said"),
    [
        (
            {"keep_days": 0, "redact": True},
            {},
            "observability.prompt_logs.redact: keep_days: 0 records nothing; say how many days, like 90",
        ),
        (
            {},
            {"litellm_settings": {"s3_callback_params": {"s3_bucket_name": "mine"}}},
            (
                "service.config.litellm_settings.s3_callback_params: observability.prompt_logs says where "
                "LiteLLM's s3_v2 writes; remove one of the two"
            ),
        ),
        (
            {"redact": True},
            {"litellm_settings": {"turn_off_message_logging": False}},
            (
                "service.config.litellm_settings.turn_off_message_logging: contradicts "
                "observability.prompt_logs.redact: true; remove it"
            ),
        ),
        (
            {},
            {"callback_settings": {"otel": {"message_logging": False}}},
            (
                "service.config.callback_settings.otel.message_logging: LiteLLM would take prompts and "
                "answers out of the record of observability.prompt_logs too; remove it"
            ),
        ),
    ],
)
def test_what_would_undo_the_record_is_refused(
    logs: dict[str, Any], config: dict[str, Any], said: str
) -> None:
    assert refused(logs, service={"config": config}) == [said]


@pytest.mark.parametrize("system", ["llm-proxy", "llm-testing"])
def test_a_system_that_records_nothing_refuses_the_section(system: str) -> None:
    said = f"observability.prompt_logs: {system} has no use for it; remove it"

    assert said in refused({}, system=system)


def test_without_a_licence_the_audit_that_is_asked_for_records_nothing() -> None:
    def told(settings: Settings) -> list[str]:
        return [one for one in advice(settings) if one.startswith("observability.prompt_logs")]

    assert told(load()) == []
    (licence,) = told(load({"audit": True}))
    assert "LiteLLM records no changes without a licence: name LITELLM_LICENSE in service.secrets" in licence
    paid = {"service": {"secrets": ["LITELLM_LICENSE"]}}
    assert told(load({"audit": True}, **paid)) == []
