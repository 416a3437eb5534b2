"""What config.yaml makes LiteLLM call of AWS's: what the tasks' role gets for it, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from generator.render import render
from generator.rights import rights
from stacks.checking.advice import advice
from tests.stacks.systems.litellm_files import allowed, examples, load, of_example, refused

NOVA = "bedrock/amazon.nova-lite-v1:0"
ROLE = "arn:aws:iam::999988887777:role/models"
ACTIONS = {
    "ApplyGuardrails": ["bedrock:ApplyGuardrail"],
    "AssumeConfiguredRoles": ["sts:AssumeRole"],
    "InferByClaudePlatform": ["aws-external-anthropic:CreateInference"],
    "InferByMantle": ["bedrock-mantle:CreateInference"],
    "InvokeAgents": ["bedrock:InvokeAgent"],
    "InvokeApis": ["execute-api:Invoke"],
    "InvokeEndpoints": ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"],
    "InvokeGateways": ["bedrock-agentcore:InvokeGateway"],
    "InvokeRuntimes": ["bedrock-agentcore:InvokeAgentRuntime"],
    "ListBuckets": ["s3:ListBucket"],
    "PassBatchRoles": ["iam:PassRole"],
    "PutItems": ["dynamodb:PutItem"],
    "QueryVectors": ["s3vectors:QueryVectors", "s3vectors:GetVectors"],
    "ReadConfiguredSecrets": ["secretsmanager:GetSecretValue"],
    "ReadObjects": ["s3:GetObject"],
    "Rerank": ["bedrock:Rerank"],
    "RetrieveKnowledge": ["bedrock:Retrieve"],
    "SendMessages": ["sqs:SendMessage"],
    "StartBatches": ["bedrock:CreateModelInvocationJob"],
    "StoreVirtualKeys": [
        f"secretsmanager:{one}"
        for one in ("CreateSecret", "PutSecretValue", "DeleteSecret", "GetSecretValue")
    ],
    "SynthesizeSpeech": ["polly:SynthesizeSpeech"],
    "WatchAsynchronousCalls": ["bedrock:GetAsyncInvoke"],
    "WatchBatches": ["bedrock:GetModelInvocationJob", "bedrock:StopModelInvocationJob"],
    "WriteObjects": ["s3:PutObject"],
}
INVOKE = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
CONDITIONS = {
    "InvokeThroughProfiles": {
        "StringLike": {"bedrock:InferenceProfileArn": "arn:aws:bedrock:*:111122223333:inference-profile/*"}
    },
    "PassBatchRoles": {"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}},
}


def models(*params: dict[str, Any]) -> dict[str, Any]:
    return {"model_list": [{"model_name": "m", "litellm_params": one} for one in params]}


@pytest.mark.parametrize("name", examples())
def test_each_documented_section_gets_what_it_calls_and_nothing_else(name: str) -> None:
    example = examples()[name]
    found = allowed(of_example(example))

    assert {sid: sorted(one["Resource"]) for sid, one in found.items()} == {
        sid: sorted(resources) for sid, resources in example["statements"].items()
    }
    for sid, one in found.items():
        assert one["Action"] == ACTIONS.get(sid, INVOKE)
        if sid in CONDITIONS:
            assert one["Condition"] == CONDITIONS[sid]


def test_forty_documented_sections_are_looked_at() -> None:
    assert len(examples()) >= 40


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("bedrock:InferenceProfileArn", "application-inference-profile/x"),
        ("bedrock:PromptRouterArn", "prompt-router/x"),
    ],
)
def test_what_is_behind_an_arn_is_allowed_through_it_alone(key: str, name: str) -> None:
    front = f"arn:aws:bedrock:us-east-1:111122223333:{name}"
    (behind,) = (
        one for one in allowed(load(models({"model": f"bedrock/{front}"}))).values() if "Condition" in one
    )

    assert behind["Condition"] == {"StringEquals": {key: front}}


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "a region that is none": (
        {"model": NOVA, "aws_region_name": "us-est-1"},
        "aws_region_name",
        "us-est-1 is no region of AWS's",
    ),
    "a region of another partition": (
        {"model": NOVA, "aws_region_name": "us-gov-west-1"},
        "aws_region_name",
        "us-gov-west-1 is in another partition than us-east-1",
    ),
    "a region beside the ARN's": (
        {"model": "bedrock/arn:aws:bedrock:us-west-2::foundation-model/a.b", "aws_region_name": "us-east-1"},
        "aws_region_name",
        "us-east-1 is not the region of arn:aws:bedrock:us-west-2::foundation-model/a.b",
    ),
    "a role that is no ARN": (
        {"model": NOVA, "aws_role_name": "models"},
        "aws_role_name",
        "models is not the ARN of a role",
    ),
    "a role of another partition": (
        {"model": NOVA, "aws_role_name": "arn:aws-cn:iam::999988887777:role/x"},
        "aws_role_name",
        "is of the partition aws-cn, and the tasks are not",
    ),
    "a role that a secret holds": (
        {"model": NOVA, "aws_role_name": "os.environ/HIDDEN"},
        "aws_role_name",
        "what HIDDEN holds, this file does not say",
    ),
    "a region that a secret holds": (
        {"model": NOVA, "aws_region_name": "os.environ/HIDDEN"},
        "aws_region_name",
        "or allow bedrock:InvokeModel in service.task_policy",
    ),
    "an id that a secret holds": (
        {"model": NOVA, "model_id": "os.environ/HIDDEN"},
        "model_id",
        "what HIDDEN holds, this file does not say",
    ),
    "a profile of a home directory": (
        {"model": NOVA, "aws_profile_name": "prod"},
        "aws_profile_name",
        "no profile is in LiteLLM's image",
    ),
    "every model": ({"model": "bedrock/*"}, "model", "name those that clients may ask for"),
    "every model of a kind": ({"model": "bedrock/us.anthropic.*"}, "model", "in service.bedrock_models"),
    "no id": ({"model": "bedrock/claude"}, "model", "claude is neither a model's id"),
    "a route that is none": ({"model": "bedrock/convers/a.b"}, "model", "convers is no route"),
    "a kind that is not known": (
        {"model": "bedrock/arn:aws:bedrock:us-east-1:111122223333:flow/x"},
        "model",
        "what flow of Bedrock's needs is not known",
    ),
    "an agent without an alias": ({"model": "bedrock/agent/ABC"}, "model", "ABC is not AGENT_ID/ALIAS_ID"),
    "a runtime without its ARN": (
        {"model": "bedrock/agentcore/x"},
        "model",
        "x is not the ARN of an AgentCore runtime",
    ),
    "no workspace": ({"model": "bedrock/claude_platform/x"}, "model", "names no workspace"),
    "no endpoint's name": ({"model": "sagemaker/a_b"}, "model", "a_b is no name of a SageMaker endpoint"),
    "a bucket that is none": (
        {"model": NOVA, "s3_bucket_name": "s3://x"},
        "s3_bucket_name",
        "s3://x is no bucket's name",
    ),
    "a job's role that is none": (
        {"model": NOVA, "aws_batch_role_arn": "batches"},
        "aws_batch_role_arn",
        "batches is not the ARN of a role",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_model_whose_permission_does_not_follow_is_refused_where_it_stands(name: str) -> None:
    params, key, said = REFUSED[name]
    (found,) = refused(models({"model": "openai/gpt-5"}, params), image="a/b", secrets=["HIDDEN"])

    assert found.startswith(f"service.config.model_list[1].litellm_params.{key}: ")
    assert said in found


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "a callback without a bucket": (
        {"litellm_settings": {"callbacks": ["s3_v2"]}},
        "litellm_settings.s3_callback_params: names no s3_bucket_name",
    ),
    "a cache without a bucket": (
        {"litellm_settings": {"cache": True, "cache_params": {"type": "s3"}}},
        "litellm_settings.cache_params: names no s3_bucket_name",
    ),
    "an export without a bucket": (
        {"litellm_settings": {"callbacks": ["focus"]}},
        "litellm_settings.callbacks: the callback focus writes to FOCUS_S3_BUCKET_NAME",
    ),
    "a queue without an address": (
        {"litellm_settings": {"callbacks": ["aws_sqs"], "aws_sqs_callback_params": {"sqs_queue_url": "q"}}},
        "litellm_settings.aws_sqs_callback_params.sqs_queue_url: q is not the address of a queue",
    ),
    "a queue of another region": (
        {
            "litellm_settings": {
                "callbacks": ["aws_sqs"],
                "aws_sqs_callback_params": {
                    "sqs_queue_url": "https://sqs.eu-west-1.amazonaws.com/111122223333/q"
                },
            }
        },
        "sqs_region_name: us-east-1 is not the queue's region; write eu-west-1",
    ),
    "no table": (
        {"litellm_settings": {"success_callback": ["dynamodb"]}},
        "litellm_settings: names no dynamodb_table_name",
    ),
    "no guardrail": (
        {"guardrails": [{"guardrail_name": "g", "litellm_params": {"guardrail": "bedrock"}}]},
        "guardrails[0].litellm_params.guardrailIdentifier: None is not the id of a guardrail",
    ),
    "no knowledge base": (
        {"vector_store_registry": [{"litellm_params": {"custom_llm_provider": "bedrock"}}]},
        "vector_store_registry[0].litellm_params.vector_store_id: None is not the id of a knowledge base",
    ),
    "no index": (
        {
            "vector_store_registry": [
                {"litellm_params": {"custom_llm_provider": "s3_vectors", "vector_store_id": "x"}}
            ]
        },
        "vector_store_registry[0].litellm_params.vector_store_id: x is not BUCKET:INDEX",
    ),
    "a key that ciphertexts name": (
        {"general_settings": {"key_management_system": "aws_kms"}},
        "general_settings.key_management_system: which key of KMS decrypts",
    ),
    "a server of another region than is signed for": (
        {
            "mcp_servers": {
                "a": {
                    "url": "https://g.gateway.bedrock-agentcore.eu-west-1.amazonaws.com/mcp",
                    "auth_type": "aws_sigv4",
                }
            }
        },
        "mcp_servers.a.aws_region_name: us-east-1 signs for another region than",
    ),
    "a server of a service that is not known": (
        {"mcp_servers": {"a": {"url": "https://x.amazonaws.com", "auth_type": "aws_sigv4"}}},
        "mcp_servers.a.url: what bedrock-agentcore asks for at x.amazonaws.com is not known here",
    ),
    "defaults of the router": (
        {"router_settings": {"default_litellm_params": {"aws_region_name": "eu-west-1"}}},
        "router_settings.default_litellm_params.aws_region_name: write it at each model",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_section_whose_permission_does_not_follow_is_refused_where_it_stands(name: str) -> None:
    config, said = OTHERS[name]
    (found,) = refused(config)

    assert found.startswith("service.config.")
    assert said in found


@pytest.mark.parametrize(
    ("config", "action"),
    [
        (models({"model": "bedrock/*"}), "bedrock:InvokeModel*"),
        (models({"model": NOVA, "model_id": "os.environ/HIDDEN"}), "bedrock:InvokeModel"),
        (models({"model": NOVA, "aws_role_name": "os.environ/HIDDEN"}), "sts:AssumeRole"),
        (models({"model": "bedrock/claude_platform/x"}), "aws-external-anthropic:CreateInference"),
        ({"general_settings": {"key_management_system": "aws_kms"}}, "kms:Decrypt"),
    ],
)
def test_what_does_not_follow_may_be_said_in_the_task_policy(config: dict[str, Any], action: str) -> None:
    said = [{"sid": "Said", "actions": [action], "resources": ["arn:aws:x:us-east-1:111122223333:y/z"]}]

    assert refused(config, secrets=["HIDDEN"]) != []
    assert [*allowed(load(config, secrets=["HIDDEN"], task_policy=said))] == ["Said"]


def test_the_models_to_name_for_a_wildcard_are_those_of_bedrock_models() -> None:
    found = allowed(
        load(models({"model": "bedrock/*"}), providers=["bedrock"], bedrock_models=["amazon.nova-lite-v1:0"])
    )

    assert found["InvokeConfiguredModels"]["Resource"] == [
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"
    ]


def test_the_provider_bedrock_needs_no_list_beside_models_of_the_configuration() -> None:
    assert load(models({"model": NOVA}), providers=["bedrock"]).service.bedrock_models == ()
    (found,) = refused({}, providers=["bedrock"])
    assert found.endswith("as a list here or in service.config")


def test_the_advice_says_what_the_other_account_has_to_allow() -> None:
    second = {"model": NOVA, "aws_role_name": ROLE, "guardrailConfig": {"guardrailIdentifier": "g1"}}
    said = [one for one in advice(load(models({"model": NOVA}, second))) if "999988887777" in one]

    assert said == [
        (
            "service.config.model_list[1].litellm_params: account 999988887777 has to let the tasks in: "
            f"the trust policy of {ROLE} has to allow sts:AssumeRole to the role of dev-litellm-security's "
            "output TaskRoleArn, and its own policies bedrock:ApplyGuardrail, bedrock:InvokeModel, "
            "bedrock:InvokeModelWithResponseStream"
        )
    ]


def test_the_advice_names_a_profile_that_is_called_from_another_continent() -> None:
    far = models({"model": "bedrock/us.amazon.nova-pro-v1:0", "aws_region_name": "eu-west-1"})

    assert (
        "service.config.model_list[0].litellm_params: us.amazon.nova-pro-v1:0 is called in eu-west-1, "
        "and AWS offers it in other regions"
    ) in advice(load(far))


def test_the_advice_names_a_credential_that_is_not_in_the_file() -> None:
    said = advice(load(models({"model": NOVA, "litellm_credential_name": "of-the-ui"})))

    assert any("the credential of-the-ui is not in credential_list" in one for one in said)


@pytest.mark.parametrize("nothing", [None, "x", 5, [None, "x", {}], {"a": None}])
@pytest.mark.parametrize(
    "section",
    [
        *("credential_list", "guardrails", "vector_store_registry", "agent_list", "mcp_servers"),
        *("router_settings", "litellm_settings", "environment_variables"),
    ],
)
def test_a_section_of_another_shape_is_not_read(section: str, nothing: object) -> None:
    assert allowed(load({section: nothing})) == {}


def test_more_than_a_role_has_room_for_is_refused_with_what_to_do() -> None:
    many = [{"model": f"bedrock/us.amazon.nova-{number}-{'x' * 90}-v1:0"} for number in range(40)]
    (found,) = refused(models(*many))

    assert "characters more than a role's inline policies have room for" in found
    assert refused(models(*(one | {"aws_role_name": ROLE} for one in many))) == []


def test_the_table_of_rights_has_what_the_configuration_calls() -> None:
    second = {"model": "bedrock/us.amazon.nova-pro-v1:0", "aws_role_name": ROLE}

    assert rights(render(load({}))) == ()
    assert [row[1:5] for row in rights(render(load(models({"model": NOVA}, second))))] == [
        (
            "InvokeConfiguredModels",
            "Allow",
            ", ".join(INVOKE),
            "arn:${AWS::Partition}:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
        ),
        ("AssumeConfiguredRoles", "Allow", "sts:AssumeRole", ROLE),
    ]
