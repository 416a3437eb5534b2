"""No value that may be a secret is shown by a plan."""

import json

import pytest

from deployer.secrecy import hidden
from deployer.states import Change, PropertyChange


def shown(name: str, value: str | None) -> str | None:
    change = Change(
        "Modify", "One", "AWS::Test::Thing", details=(PropertyChange("Properties", name, "", value, value),)
    )
    (detail,) = hidden(change).details
    assert detail.before == detail.after
    return detail.after


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SecretString", "hunter2"),
        ("MasterUserPassword", "hunter2"),
        ("/Properties/MasterUserPassword", "hunter2"),
        ("/Properties/Environment/Variables/OPENAI_API_KEY", "hunter2"),
        ("/Properties/ContainerDefinitions/0/Environment/2/Value", "hunter2"),
        ("/Properties/Environment/Variables/LITELLM_LICENSE", "hunter2"),
        ("/Properties/Environment/Variables/SLACK_WEBHOOK_URL", "hunter2"),
        ("Secret", "hunter2"),
        ("/Properties/AuthParameters/ApiKeyAuthParameters/ApiKeyValue", "hunter2"),
        ("/Properties/Content", "postgres://root:hunter2hunter2@db/x"),
    ],
)
def test_a_secret_is_hidden(name: str, value: str) -> None:
    assert shown(name, value) == "(hidden)"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Engine", "postgres"),
        ("Tags", '[{"Key": "Team", "Value": "ml"}]'),
        ("Secrets", '[{"Name": "AZURE_API_KEY", "ValueFrom": "arn:aws:ssm:x"}]'),
        ("SecretString", "sk-{{resolve:secretsmanager:seed:SecretString}}"),
        ("MasterUserPassword", "{{changeSet:KNOWN_AFTER_APPLY}}"),
        ("KmsKeyId", "alias/aws/rds"),
        ("/Properties/Environment/Variables/LOG_LEVEL", "debug"),
        ("SecretString", None),
        ("Description", "{not json"),
        ("Policy", '{"Action":  "kms:Decrypt"}'),
        ("LoadBalancerAttributes", '[{"Key": "idle_timeout.timeout_seconds", "Value": "600"}]'),
        ("TargetGroupAttributes", '[{"Key": "stickiness.app_cookie.cookie_key", "Value": "x"}]'),
        ("/Properties/Tags/0/Key", "api_key"),
        ("/Properties/Tags/0/Value", "blue"),
        ("Tags", '[{"Key": "cost-key", "Value": "7"}]'),
        ("Parameters", '{"rds.force_ssl": "1", "password_encryption": "scram-sha-256"}'),
        ("Environment", '[{"Name": "LITELLM_CONFIG_BUCKET_OBJECT_KEY", "Value": "litellm/a.yaml"}]'),
        ("/Properties/Environment/Variables/OBJECT_KEY", "litellm/a.yaml"),
        ("OriginCustomHeaders", '[{"HeaderName": "X-Team", "HeaderValue": "red"}]'),
        ("MetricFilters", '[{"Key": "access_key", "Value": "x"}]'),
        ("KeyId", "1234abcd-12ab-34cd-56ef-1234567890ab"),
        ("KeySchema", '[{"AttributeName": "api_key", "KeyType": "HASH"}]'),
        ("PublicKey", "ssh-ed25519 AAAA"),
        ("S3Key", "functions/rotation.zip"),
    ],
)
def test_everything_else_stays_as_it_is(name: str, value: str | None) -> None:
    assert shown(name, value) == value


def test_inside_structures_only_secrets_are_hidden() -> None:
    containers = json.dumps(
        [
            {
                "Name": "proxy",
                "Environment": [
                    {"Name": "LITELLM_LOG", "Value": "INFO"},
                    {"Name": "SLACK_TOKEN", "Value": "hunter2"},
                    {"Name": "DATABASE_URL", "Value": "{{resolve:secretsmanager:login:SecretString:url}}"},
                ],
            }
        ]
    )

    assert json.loads(shown("ContainerDefinitions", containers) or "")[0]["Environment"] == [
        {"Name": "LITELLM_LOG", "Value": "INFO"},
        {"Name": "SLACK_TOKEN", "Value": "(hidden)"},
        {"Name": "DATABASE_URL", "Value": "{{resolve:secretsmanager:login:SecretString:url}}"},
    ]


@pytest.mark.parametrize(
    ("name", "other"), [("Name", "Value"), ("HeaderName", "HeaderValue"), ("ParameterKey", "ParameterValue")]
)
def test_a_pair_shows_its_name_whatever_it_is_and_hides_the_value_of_a_secret_s(
    name: str, other: str
) -> None:
    text = json.dumps([{name: "X-Origin-Secret", other: "hunter2"}])

    assert json.loads(shown("Anything", text) or "") == [{name: "X-Origin-Secret", other: "(hidden)"}]


def test_a_structured_secret_keeps_its_keys_and_references() -> None:
    text = json.dumps({"username": "admin", "pin": 1234, "url": "x{{resolve:ssm:/y}}"})

    assert json.loads(shown("SecretString", text) or "") == {
        "username": "(hidden)",
        "pin": "(hidden)",
        "url": "x{{resolve:ssm:/y}}",
    }


def test_a_secret_inside_a_text_inside_a_structure_is_hidden() -> None:
    text = json.dumps({"Secret": {"SecretString": json.dumps({"password": "hunter2"})}})

    assert "hunter2" not in (shown("Whole", text) or "")


def test_a_secret_that_changes_is_hidden_and_still_differs() -> None:
    before = [{"Name": "SLACK_TOKEN", "Value": "hunter2"}, {"Name": "API_KEY", "Value": "kept"}]
    after = [{"Name": "SLACK_TOKEN", "Value": "hunter3"}, {"Name": "API_KEY", "Value": "kept"}]
    detail = PropertyChange("Properties", "Environment", "", json.dumps(before), json.dumps(after))

    (found,) = hidden(Change("Modify", "One", "AWS::Test::Thing", details=(detail,))).details

    assert [one["Value"] for one in json.loads(found.before or "")] == ["(hidden)", "(hidden)"]
    assert [one["Value"] for one in json.loads(found.after or "")] == ["(hidden, another value)", "(hidden)"]
