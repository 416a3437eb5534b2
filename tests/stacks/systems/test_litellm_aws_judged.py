"""What AWS asks IAM for when LiteLLM calls: allowed to the tasks' role, within the boundary, and no more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.access.policies import Request
from sandbox.access.policies import allowed as judged
from stacks import bootstrap
from tests.stacks.systems.litellm_files import ACCOUNT, allowed, examples, filled, load, of_example

GITHUB = {"github": {"repository": "acme/gateway", "environments": ["dev"]}}
DESTINATIONS = {
    "us": ("us-east-1", "us-east-2", "us-west-2"),
    "eu": ("eu-central-1", "eu-west-3"),
    "global": ("", "us-east-1"),
}
"""Some regions that profiles lead to (Bedrock User Guide, "Supported Regions and models for inference
profiles"); ``global`` asks for the model without a region."""


@dataclass(frozen=True)
class Asked:
    """A model in config.yaml, and what AWS asks IAM for when it is invoked."""

    params: dict[str, str]
    requests: tuple[Request, ...]


def invoke(resource: str, **context: str) -> Request:
    return Request("bedrock:InvokeModel", resource, {f"bedrock:{key}": one for key, one in context.items()})


def model(name: str, region: str) -> str:
    return f"arn:aws:bedrock:{region}::foundation-model/{name}"


def plain(name: str, region: str) -> Asked:
    params = {"model": f"bedrock/{name}", "aws_region_name": region}
    return Asked(params, (invoke(model(name, region)),))


def by_profile(geography: str, name: str, region: str) -> Asked:
    profile = f"arn:aws:bedrock:{region}:{ACCOUNT}:inference-profile/{geography}.{name}"
    models = [invoke(model(name, one), InferenceProfileArn=profile) for one in DESTINATIONS[geography]]
    params = {"model": f"bedrock/converse/{region}/{geography}.{name}"}
    return Asked(params, (invoke(profile), *models))


def by_own_profile(ident: str, name: str, region: str) -> Asked:
    profile = f"arn:aws:bedrock:{region}:{ACCOUNT}:application-inference-profile/{ident}"
    behind = f"arn:aws:bedrock:{region}:{ACCOUNT}:inference-profile/us.{name}"
    through = [invoke(one, InferenceProfileArn=profile) for one in (behind, model(name, "us-west-2"))]
    return Asked({"model": f"bedrock/{name}", "model_id": profile}, (invoke(profile), *through))


NAMES = st.sampled_from(["amazon.nova-lite-v1:0", "anthropic.claude-haiku-4-5-v1:0", "meta.llama4-v1:0"])
REGIONS = st.sampled_from(["us-east-1", "us-west-2", "eu-west-1"])
ASKED = st.one_of(
    st.builds(plain, NAMES, REGIONS),
    st.builds(by_profile, st.sampled_from([*DESTINATIONS]), NAMES, REGIONS),
    st.builds(by_own_profile, st.sampled_from(["a1", "b2"]), NAMES, REGIONS),
)
EVERY = tuple(
    request
    for name in ("amazon.nova-lite-v1:0", "anthropic.claude-haiku-4-5-v1:0", "meta.llama4-v1:0")
    for region in ("us-east-1", "us-west-2", "eu-west-1")
    for asked in (plain(name, region), *(by_profile(one, name, region) for one in DESTINATIONS))
    for request in asked.requests[:1]
)
"""What any of them is first asked for: of each, that alone may be allowed which the file calls."""


def documents(*asked: Asked) -> list[dict[str, Any]]:
    config = {"model_list": [{"model_name": "m", "litellm_params": one.params} for one in asked]}
    return [{"Statement": [*allowed(load(config)).values()]}]


@settings(max_examples=40)
@given(st.lists(ASKED, min_size=1, max_size=5))
def test_each_call_is_allowed_and_no_other_is(asked: list[Asked]) -> None:
    found = documents(*asked)
    wanted = {one.requests[0].resource for one in asked}

    assert [one for each in asked for one in each.requests if not judged(one, found)] == []
    assert {one.resource for one in EVERY if judged(one, found)} <= wanted


def test_a_model_behind_a_profile_is_not_called_past_it() -> None:
    found = documents(by_profile("us", "amazon.nova-lite-v1:0", "us-east-1"))

    assert not judged(invoke(model("amazon.nova-lite-v1:0", "us-east-1")), found)
    other = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/us.amazon.nova-pro-v1:0"
    assert not judged(invoke(other), found)
    assert not judged(invoke(other, InferenceProfileArn=other), found)


def test_what_is_behind_an_own_profile_is_not_called_past_it() -> None:
    found = documents(by_own_profile("a1", "amazon.nova-lite-v1:0", "us-east-1"))
    profile = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/us.amazon.nova-lite-v1:0"

    assert not judged(invoke(profile, InferenceProfileArn=profile), found)
    assert not judged(invoke(model("amazon.nova-lite-v1:0", "us-east-1")), found)


@pytest.mark.parametrize("name", examples())
def test_the_boundary_of_bootstrap_lets_through_what_each_section_calls(name: str) -> None:
    made = of_example(examples()[name], pipelines=GITHUB)
    template = json.loads(bootstrap.build(made).template.to_json())
    found = filled(template["Resources"]["Boundary"]["Properties"]["PolicyDocument"])
    texts = [one | {"Resource": _texts(one["Resource"])} for one in found["Statement"]]

    for statement in allowed(made).values():
        context = {
            key: value
            for keys in statement.get("Condition", {}).values()
            for key, value in keys.items()
            if isinstance(value, str)
        }
        for action in statement["Action"]:
            for resource in statement["Resource"]:
                asked = Request(action, resource, context)
                assert judged(asked, [{"Statement": texts}]), str(asked)


def _texts(resources: list[Any]) -> list[str]:
    return [one for one in resources if isinstance(one, str)] or ["nothing"]
