"""`service.secrets_from`: tasks get what an ARN names, and the role that starts them may read that alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stacks import security, service
from stacks.checking import limits
from stacks.checking.advice import advice
from stacks.settings import Settings
from stacks.systems import MODULES
from tests.stacks.environment_values import SHARED, SHARED_KEY
from tests.stacks.environments_of_systems import container, environment, refused
from tests.stacks.finders import properties, resources

PARAMETER = "arn:aws:ssm:us-east-1:123456789012:parameter/shared/otel-token"
ACCOUNT, OTHER = "123456789012", "210987654321"
TASKS = {"llm-testing": "BackendTask"}


def of(system: str, account: str | None = ACCOUNT, **sources: Any) -> Settings:
    return environment(system, account=account, service={"secrets_from": sources})


def rights(settings: Settings) -> dict[str, Any]:
    """Return the statements about somebody else's secrets: of the service's stack, and no more than there."""
    (*policies,) = resources(service.build(settings), "AWS::IAM::Policy").values()
    return others([one["Properties"] for one in policies])


def others(policies: list[Any]) -> dict[str, Any]:
    statements = [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]
    return {one["Sid"]: one for one in statements if "Other" in one["Sid"]}


def of_the_role(settings: Settings) -> list[Any]:
    found: list[Any] = properties(security.build(settings), "ExecutionRole")["Policies"]
    return found


@pytest.mark.parametrize("system", MODULES)
def test_tasks_get_it_and_their_role_reads_it_and_nothing_else(system: str) -> None:
    settings = of(system, A=SHARED, B=PARAMETER, C={"arn": SHARED, "kms_key_arn": SHARED_KEY})

    told = container(service.build(settings), TASKS.get(system, "ProxyTask"))["Secrets"]
    assert {one["Name"]: one["ValueFrom"] for one in told if len(one["Name"]) == 1} == {
        "A": SHARED,
        "B": PARAMETER,
        "C": SHARED,
    }
    may = rights(settings)
    secret = SHARED.removesuffix(":api_key::")
    assert {sid: (one["Action"], one["Resource"]) for sid, one in may.items()} == {
        "ReadOtherSecrets": (["secretsmanager:GetSecretValue"], [secret]),
        "DecryptOtherSecrets": (["kms:Decrypt"], [SHARED_KEY]),
        "ReadOtherParameters": (["ssm:GetParameters"], [PARAMETER]),
    }
    through = {"StringEquals": {"kms:ViaService": ["secretsmanager.us-east-1.amazonaws.com"]}}
    assert may["DecryptOtherSecrets"]["Condition"] == through
    assert others(of_the_role(settings)) == {}


@pytest.mark.parametrize("system", MODULES)
def test_every_service_waits_for_the_right_and_another_list_is_another_policy(system: str) -> None:
    def built(**sources: str) -> set[str]:
        made = service.build(of(system, **sources))
        titles = {*resources(made, "AWS::IAM::Policy")}
        for one in resources(made, "AWS::ECS::Service").values():
            waits = one["DependsOn"]
            assert {*([waits] if isinstance(waits, str) else waits)} == {"CapacityProviders", *titles}
        return titles

    first, second = built(A=SHARED), built(A=PARAMETER)
    assert (len(first), len(second), first & second, built()) == (1, 1, set(), set())
    assert built(B=SHARED) == first, "the same right by another variable"


def test_a_migration_may_read_an_existing_databases_login_before_the_services_do() -> None:
    login = SHARED.split(":api_key")[0]
    store = {"host": "db.acme.org", "name": "llm", "secret_arn": login}
    settings = environment("litellm", account=ACCOUNT, database={"existing": store})
    assert [one["Resource"] for one in others(of_the_role(settings)).values()] == [[login]]
    assert [one["Resource"] for one in rights(settings).values()] == [[login]]


def test_a_key_of_amazons_own_and_no_source_at_all_need_no_right() -> None:
    assert rights(of("litellm", A=SHARED)).keys() == {"ReadOtherSecrets"}
    assert rights(of("litellm")) == {}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (SHARED.replace("us-east-1", "us-esat-1"), "A is in us-esat-1, which is no region of AWS's"),
        (
            SHARED.replace("arn:aws:", "arn:aws-cn:"),
            "A is in us-east-1, which is not of the partition aws-cn",
        ),
        (
            "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/a",
            "A is in the partition aws-cn, and the tasks are not: no login is good for both",
        ),
        (
            {"arn": SHARED, "kms_key_arn": SHARED_KEY.replace("us-east-1", "us-west-2")},
            "A is in us-east-1, and its kms_key_arn is not: a key encrypts in its own region",
        ),
        (
            SHARED.replace(ACCOUNT, OTHER),
            (
                "A is of another account, whose secrets can be read only where a customer key encrypts them; "
                "write {arn: ..., kms_key_arn: ...}"
            ),
        ),
    ],
)
def test_what_tasks_could_not_read_is_refused(source: Any, message: str) -> None:
    assert refused("litellm", account=ACCOUNT, service={"secrets_from": {"A": source}}) == [
        f"service.secrets_from.A: {message}"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "sk-" + "a1B2" * 10,
        SHARED.replace("-AbCdEf", ""),
        SHARED.replace(ACCOUNT, "12345"),
        f"{SHARED}:",
        SHARED.removesuffix("::"),
        PARAMETER.replace("parameter/", "parameter:"),
        "arn:aws:kms:us-east-1:123456789012:key/x",
        "",
    ],
)
def test_what_is_no_whole_arn_is_refused_and_not_repeated(text: str) -> None:
    (told,) = refused("litellm", service={"secrets_from": {"A": text}})
    assert told.startswith("service.secrets_from.A.arn: not the whole ARN of a secret")
    assert not text or text not in told


def test_a_variable_comes_from_one_place() -> None:
    own = {"secrets": ["A"], "secrets_from": {"A": SHARED, "B": SHARED}, "environment": {"B": "x"}}
    assert refused("litellm", service=own) == [
        "service.secrets_from.A: A stands in service.secrets too; keep one of them",
        "service.secrets_from.B: B is set by service.environment too, in clear; keep one of them",
    ]
    assert refused("litellm", service={"secrets_from": {"A": {"arm": SHARED}}}) == [
        "service.secrets_from.A.arn: missing",
        "service.secrets_from.A.arm: unknown key; did you mean arn?",
    ]


def test_what_the_other_account_has_to_allow_is_said() -> None:
    theirs = {
        "A": {"arn": SHARED.replace(ACCOUNT, OTHER), "kms_key_arn": SHARED_KEY.replace(ACCOUNT, OTHER)},
        "B": PARAMETER.replace(ACCOUNT, OTHER),
    }
    secret, parameter = (one for one in advice(of("litellm", **theirs)) if "secrets_from" in one)
    assert "of account 210987654321, which has to allow the role of dev-litellm-security's output" in secret
    assert f"kms:Decrypt in the policy of {theirs['A']['kms_key_arn']}" in secret  # type: ignore[index]
    assert "which has to share it by AWS RAM" in parameter
    assert not [one for one in advice(of("litellm", account=None, **theirs)) if "secrets_from" in one]


def test_what_the_owner_of_an_existing_databases_login_has_to_allow_is_said_in_the_same_words() -> None:
    key = SHARED_KEY.replace(ACCOUNT, OTHER)
    login = {"arn": SHARED.replace(ACCOUNT, OTHER).split(":api_key")[0], "kms_key_arn": key}
    store = {"host": "db.acme.org", "name": "llm", "secret_arn": login["arn"], "kms_key_arn": key}
    both = {"database": {"existing": store}, "service": {"secrets_from": {"A": login}}}
    settings = environment("litellm", account=ACCOUNT, **both)
    told = [one for one in advice(settings) if f"of account {OTHER}" in one]
    assert [one.partition(" is of ")[0] for one in told] == [
        "service.secrets_from.A",
        "database.existing.secret_arn",
    ]
    assert len({one.partition(" is of ")[2] for one in told}) == 1


def test_there_is_room_for_so_many_in_the_role() -> None:
    many = {f"A{number}": SHARED for number in range(70)}
    (told,) = refused("litellm", service={"secrets_from": many})
    assert "characters; the role has room for 2500" in told


def test_the_role_holds_the_old_and_the_new_list_at_once() -> None:
    login = SHARED.split(":api_key")[0]
    most = limits.SOURCE_CHARACTERS // (len(login) + 1 + len(SHARED_KEY))
    sources = {
        f"A{number}": {
            "arn": login.replace("datadog", f"datadog{chr(97 + number)}"),
            "kms_key_arn": f"{SHARED_KEY[:-3]}{number:03}",
        }
        for number in range(most)
    }
    store = {"host": "db.acme.org", "name": "llm", "secret_arn": login}
    settings = environment(
        "litellm", account=ACCOUNT, service={"secrets_from": sources}, database={"existing": store}
    )
    (policy,) = resources(service.build(settings), "AWS::IAM::Policy").values()
    sizes = [
        len(json.dumps(one, separators=(",", ":"))) for one in (of_the_role(settings), policy["Properties"])
    ]
    assert sizes[0] + 2 * sizes[1] < 10_240
