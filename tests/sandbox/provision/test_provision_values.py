"""Generated secrets, dynamic references, facts of the schemas, and resources that exist in name only."""

import json
import string
from typing import Any

import pytest

from sandbox.provisioning import ProvisionError
from sandbox.resources.encryption import generate
from sandbox.resources.handler import generated_name
from sandbox.resources.schema import ProviderSchemas, UnknownTypeError
from sandbox.services.services import Services
from tests.sandbox.provision_world import World


@pytest.fixture(scope="module")
def world() -> World:
    made = World("000000000104")
    made.make("SecretsManager::Secret", Name="known", SecretString='{"shown": "never"}')
    return made


def test_a_generated_password_has_32_characters_of_every_kind() -> None:
    password = generate({})

    assert len(password) == 32
    for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation):
        assert set(password) & set(kind)


def test_what_is_excluded_does_not_appear() -> None:
    options = {"PasswordLength": "400", "ExcludePunctuation": True, "ExcludeCharacters": "abc019"}

    assert set(generate(options)) <= set(string.ascii_letters + string.digits) - set("abc019")
    only_digits = {f"Exclude{kind}": "true" for kind in ("Lowercase", "Uppercase", "Punctuation")}
    assert generate({**only_digits, "PasswordLength": 8}).isdigit()
    assert " " in generate({"IncludeSpace": True, "PasswordLength": 64})


def test_a_generated_key_joins_the_template() -> None:
    options = {"SecretStringTemplate": '{"username": "litellm"}', "GenerateStringKey": "password"}
    document = json.loads(generate(options))

    assert document["username"] == "litellm"
    assert len(document["password"]) == 32


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"GenerateStringKey": "password"}, "given together"),
        ({"GenerateStringKey": "p", "SecretStringTemplate": "{"}, "no valid JSON"),
        ({"PasswordLength": 2}, "No password can be generated"),
        ({"PasswordLength": 5000}, "No password can be generated"),
    ],
)
def test_options_that_make_no_secret_are_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ProvisionError, match=reason):
        generate(options)


def test_a_secret_is_given_or_generated(world: World) -> None:
    with pytest.raises(ProvisionError, match="can't specify both"):
        world.make("SecretsManager::Secret", SecretString="x", GenerateSecretString={})


def test_a_generated_secret_stays_until_its_options_change(world: World) -> None:
    properties: dict[str, Any] = {"GenerateSecretString": {"PasswordLength": 45}}
    made = world.make("SecretsManager::Secret", **properties)
    first = world.secret(made.physical_id)

    described = {**properties, "Description": "new"}
    world.provisioner.update(world.request("SecretsManager::Secret", described), properties, made)
    assert world.secret(made.physical_id) == first

    longer = {**described, "GenerateSecretString": {"PasswordLength": 46}}
    world.provisioner.update(world.request("SecretsManager::Secret", longer), described, made)
    assert len(world.secret(made.physical_id)) == 46


def test_dynamic_references_give_what_the_services_hold(world: World) -> None:
    world.make("SSM::Parameter", Name="/a/b", Type="String", Value="one")
    world.api("ssm").put_parameter(Name="/a/b", Type="String", Value="two", Overwrite=True)
    world.api("ssm").put_parameter(Name="/a/hidden", Type="SecureString", Value="three")
    arn = world.make("SecretsManager::Secret", Name="a/c", SecretString='{"user": "u", "n": 1}').physical_id

    expected = {
        "{{resolve:ssm:/a/b}}": "two",
        "{{resolve:ssm:/a/b:1}}": "one",
        "{{resolve:ssm-secure:/a/hidden:1}}": "three",
        "{{resolve:secretsmanager:a/c}}": '{"user": "u", "n": 1}',
        "{{resolve:secretsmanager:a/c:SecretString:user}}": "u",
        "{{resolve:secretsmanager:a/c:SecretString:user:AWSCURRENT:}}": "u",
        f"{{{{resolve:secretsmanager:{arn}:SecretString:user::}}}}": "u",
        f"{{{{resolve:secretsmanager:{arn}:SecretString:n}}}}": "1",
        f"{{{{resolve:secretsmanager:{arn}}}}}": '{"user": "u", "n": 1}',
    }
    assert {reference: world.provisioner.resolve(reference) for reference in expected} == expected


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("{{resolve:ssm:/none}}", "cannot be found"),
        ("{{resolve:ssm:/a b}}", "Incorrect format"),
        ("{{resolve:secretsmanager:none}}", "can't find the specified secret"),
        ("{{resolve:secretsmanager:known:SecretBinary}}", "only SecretString"),
        ("{{resolve:secretsmanager:known:SecretString:nokey}}", "JSONKey in SecretString: nokey of known"),
        ("{{resolve:other:x}}", "Invalid dynamic reference"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused_without_a_value(
    reference: str, reason: str, world: World
) -> None:
    with pytest.raises(ProvisionError, match=reason) as refused:
        world.provisioner.resolve(reference)
    assert "never" not in str(refused.value)


def test_generated_names_keep_to_their_limit() -> None:
    for limit in (32, 63, 64, 255):
        name = generated_name(
            "production-litellm-benchmark-network", "AVeryLongLogicalNameOfAResource", limit
        )
        assert len(name) <= limit
        assert name.count("-") >= 2
    assert generated_name("dev-net", "Thing", 64).startswith("dev-net-Thing-")


def test_the_schemas_say_what_replaces_a_resource_and_what_getatt_takes() -> None:
    schemas = ProviderSchemas()

    assert {"RepositoryName", "EncryptionConfiguration.KmsKey"} <= schemas.create_only("AWS::ECR::Repository")
    assert "LaunchType" in schemas.conditional_create_only("AWS::ECS::Service")
    assert {"Endpoint.Address", "Endpoint.Port", "DBInstanceArn"} <= schemas.attributes(
        "AWS::RDS::DBInstance"
    )
    assert {"Type", "Value"} <= schemas.attributes("AWS::SSM::Parameter")
    assert schemas.required("AWS::IAM::Role") == {"AssumeRolePolicyDocument"}
    assert schemas.tag_property("AWS::SSM::Parameter") == "Tags"
    assert schemas.tag_property("AWS::EC2::Route") is None
    assert schemas.known("Custom::Anything")
    assert not schemas.known("AWS::Nope::Thing")
    with pytest.raises(UnknownTypeError):
        schemas.required("AWS::Nope::Thing")


def test_a_type_without_a_handler_has_a_plausible_id_and_arns(world: World) -> None:
    table = world.make("DynamoDB::Table", TableName="t", KeySchema=[])
    cache = world.make("ElastiCache::ReplicationGroup", ReplicationGroupDescription="d")
    policy = world.make("SecretsManager::ResourcePolicy", SecretId="arn:aws:secretsmanager:x")

    assert table.physical_id == "t"
    assert table.attributes["Arn"] == "arn:aws:dynamodb:us-east-1:000000000104:table/t"
    assert cache.attributes["PrimaryEndPoint.Address"].endswith(".us-east-1.cache.amazonaws.com")
    assert cache.attributes["PrimaryEndPoint.Port"] == "6379"
    assert policy.physical_id == "arn:aws:secretsmanager:x"


def test_attributes_of_a_type_without_a_handler_survive_an_update(world: World) -> None:
    properties = {"ReplicationGroupDescription": "d"}
    made = world.make("ElastiCache::ReplicationGroup", **properties)
    changed = world.request("ElastiCache::ReplicationGroup", {"ReplicationGroupDescription": "e"})

    assert world.provisioner.update(changed, properties, made) == made
    world.provisioner.delete(changed, made)


def test_a_database_takes_longer_than_a_secret(world: World) -> None:
    durations = [
        world.provisioner.duration(f"AWS::{kind}") for kind in ("RDS::DBInstance", "SecretsManager::Secret")
    ]

    assert durations == [600.0, 5.0]


def test_rds_offers_the_versions_that_can_be_created() -> None:
    rds = Services().client("rds", "us-east-1")

    versions = rds.describe_db_engine_versions(Engine="postgres")["DBEngineVersions"]

    offered = {version["EngineVersion"] for version in versions}
    assert {"15.15", "16.11", "17.7"} <= offered
    assert "15.10" not in offered
    assert {version["Engine"] for version in versions} == {"postgres"}
