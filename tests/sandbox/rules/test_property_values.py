"""Property values against the types' schemas: what is taken, what is refused in which words, and when."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.resources.schema import ProviderSchemas
from sandbox.rules.values import refused

ROOT: dict[str, Any] = {
    "additionalProperties": False,
    "definitions": {"Size": {"type": "integer", "minimum": 1, "maximum": 10}},
    "properties": {
        "Size": {"$ref": "#/definitions/Size"},
        "On": {"type": "boolean"},
        "Name": {"type": "string", "minLength": 2, "maxLength": 5, "pattern": "^[a-z]+$"},
        "Names": {"type": "array", "minItems": 1, "maxItems": 2, "uniqueItems": True},
        "Kind": {"type": "string", "enum": ["a", "b"]},
        "Policy": {"type": ["object", "string"]},
        "Tags": {
            "type": "object",
            "patternProperties": {"^t": {"type": "string"}},
            "additionalProperties": False,
        },
        "Either": {"anyOf": [{"required": ["X"]}, {"required": ["Y"]}]},
        "One": {"oneOf": [{"type": "integer"}, {"type": "boolean"}]},
        "Odd": {"type": "string", "pattern": "^\\p{L}+$", "format": "AWS::EC2::VPC.Id"},
    },
}

REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"Size": 11}, "#/Size: failed validation constraint for keyword [maximum]"),
    ({"Size": "0"}, "#/Size: failed validation constraint for keyword [minimum]"),
    ({"Size": 1.5}, "#/Size: expected type: Integer, found: Number"),
    ({"Size": True}, "#/Size: expected type: Integer, found: Boolean"),
    ({"On": "yes"}, "#/On: expected type: Boolean, found: String"),
    ({"Name": "x"}, "#/Name: expected minLength: 2, actual: 1"),
    ({"Name": "abcdef"}, "#/Name: expected maxLength: 5, actual: 6"),
    ({"Name": "ABC"}, "#/Name: failed validation constraint for keyword [pattern]"),
    ({"Name": ["ab"]}, "#/Name: expected type: String, found: JSONArray"),
    ({"Names": []}, "#/Names: expected minimum item count: 1, found: 0"),
    ({"Names": ["a", "b", "c"]}, "#/Names: expected maximum item count: 2, found: 3"),
    ({"Names": ["a", "a"]}, "#/Names: array items are not unique"),
    ({"Kind": "c"}, "#/Kind: failed validation constraint for keyword [enum]"),
    ({"Policy": ["x"]}, "#/Policy: expected type: JSONObject, found: JSONArray"),
    ({"Tags": {"x": "1"}}, "#/Tags: extraneous key [x] is not permitted"),
    ({"Either": {"Z": 1}}, "#/Either: #: no subschema matched out of the total 2 subschemas"),
    ({"One": "neither"}, "#/One: #: 0 subschemas matched instead of one"),
    ({"Sise": 1}, "#: extraneous key [Sise] is not permitted"),
)


@pytest.mark.parametrize(("properties", "told"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_value_that_the_schema_has_not_is_refused(properties: dict[str, Any], told: str) -> None:
    assert [each.told for each in refused(ROOT, properties)] == [told]


@pytest.mark.parametrize(
    "properties",
    [
        {"Size": "10", "On": "True", "Kind": "a", "Policy": "{}", "Tags": {"t1": 5}},
        {"On": False, "Policy": {"a": 1}, "Either": {"X": 1, "Y": 2}, "One": 5},
        {"Size": "{{changeSet:KNOWN_AFTER_APPLY}}", "Name": "{{resolve:ssm:/name}}"},
        {"Names": ["{{changeSet:KNOWN_AFTER_APPLY}}", "{{changeSet:KNOWN_AFTER_APPLY}}"]},
        {"Odd": "vpc"},
    ],
)
def test_numbers_as_text_and_what_is_known_later_are_taken(properties: dict[str, Any]) -> None:
    assert refused(ROOT, properties) == ()


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "xx-nowhere-1"])
def test_every_region_has_a_schema_to_judge_by(region: str) -> None:
    found = ProviderSchemas().refused("AWS::RDS::DBInstance", {"BackupRetentionPeriod": "-1"}, region)

    assert [each.path for each in found] == ["/BackupRetentionPeriod"]


def test_a_value_for_a_read_only_property_is_ignored_as_cloudformation_ignores_it() -> None:
    """Source: aws-cloudformation/cloudformation-resource-schema#102."""
    schema = ProviderSchemas().schema("AWS::S3::Bucket")

    assert refused(schema, {"BucketName": "prompts", "Arn": "arn:aws:s3:::others"}) == ()
    assert "/properties/Arn" in schema["readOnlyProperties"]


def test_custom_resources_take_anything() -> None:
    assert ProviderSchemas().refused("Custom::Thing", {"Any": "thing"}, "us-east-1") == ()
