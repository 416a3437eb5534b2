"""Telling AWS from what speaks its protocol, and a service that is missing from one that refuses."""

import json
import os
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from deployer.aws import endpoint as endpoints
from deployer.aws.endpoint import SERVICES, ask, configured, emulated, is_aws, partition_of, place
from deployer.aws.stores.rotation_store import RotationStore
from deployer.aws.stores.service_store import ServiceStore
from deployer.day2.service import Place
from deployer.errors import CloudError, NotAllowed, NotOffered
from tests.serving import always, serving

PARTITIONS = Path(botocore.session.__file__).parent / "data" / "partitions.json"


def client(service: str, endpoint: str | None = None) -> Any:
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    return botocore.session.Session().create_client(service, endpoint_url=endpoint, **keys)


def refusal(code: str, message: str) -> Any:
    body = json.dumps({"__type": code, "message": message}).encode()
    return always("400 Bad Request", "application/x-amz-json-1.1", body)


@pytest.mark.parametrize(
    ("endpoint", "is_emulated"),
    [
        (None, False),
        ("https://ecs.us-east-1.api.aws", False),
        ("https://vpce-1.ecs.us-east-1.vpce.amazonaws.com", False),
        ("https://ecs.cn-north-1.amazonaws.com.cn", False),
        ("https://ecs.cn-north-1.api.amazonwebservices.com.cn", False),
        ("https://ecs.eusc-de-east-1.amazonaws.eu", False),
        ("https://ECS.us-iso-east-1.C2S.IC.GOV.", False),
        ("https://ecs.eu-isoe-west-1.cloud.adc-e.uk:8443/x", False),
        ("https://127.0.0.1:80@ecs.us-east-1.amazonaws.com", False),
        ("http://127.0.0.1:4566", True),
        ("http://[::1]:4566", True),
        ("https://amazonaws.com.example.com", True),
        ("https://notamazonaws.com", True),
        ("https://user:amazonaws.com@example.com", True),
    ],
)
def test_aws_is_known_by_its_host(endpoint: str | None, *, is_emulated: bool) -> None:
    assert emulated(client("ecs", endpoint)) == is_emulated


@pytest.mark.parametrize(
    "answer",
    [
        always("501 Not Implemented", "text/plain", b""),
        always("404 Not Found", "text/html", b"<html>no such page</html>"),
        always("400 Bad Request", "text/xml", b"<Error><Code>InvalidAction</Code></Error>"),
        refusal("UnknownOperationException", ""),
    ],
    ids=["501", "404", "400", "json"],
)
def test_an_endpoint_without_ecs_is_told_from_a_service_that_is_not_there(answer: Any) -> None:
    with serving(answer) as endpoint, pytest.raises(NotOffered, match="this endpoint has no ecs"):
        ServiceStore(lambda name: client(name, endpoint)).look(Place("c", "s"))


def test_a_cluster_that_is_not_there_has_no_service() -> None:
    with serving(refusal("ClusterNotFoundException", "Cluster not found.")) as endpoint:
        assert ServiceStore(lambda name: client(name, endpoint)).look(Place("c", "s")) is None


def test_a_refusal_stays_a_refusal() -> None:
    with serving(refusal("AccessDeniedException", "no")) as endpoint:
        ecs = client("ecs", endpoint)
        with pytest.raises(NotAllowed, match="grant the permission ecs:ListClusters"):
            ask(ecs, "list_clusters")


@pytest.mark.parametrize(
    ("message", "under_way"),
    [
        ("A previous rotation isn't complete. That rotation will be reattempted.", True),
        ("Previous rotation request is still in progress.", True),
        ("You can't perform this operation on the secret because it was marked for deletion.", False),
    ],
)
def test_a_rotation_under_way_is_told_from_other_refusals(message: str, *, under_way: bool) -> None:
    with serving(refusal("InvalidRequestException", message)) as endpoint:
        store = RotationStore(lambda name: client(name, endpoint), since=0)
        if under_way:
            assert store.start("dev-litellm/master-key", "0" * 36) is None
        else:
            with pytest.raises(CloudError, match="marked for deletion"):
                store.start("dev-litellm/master-key", "0" * 36)


def test_an_object_that_may_not_be_seen_is_not_missing() -> None:
    with serving(always("403 Forbidden", "application/xml", b"")) as endpoint:
        store = ServiceStore(lambda name: client(name, endpoint))
        with pytest.raises(NotAllowed, match="grant the permission s3:GetObject"):
            store.has_object("bucket", "config.yaml")

    with serving(always("404 Not Found", "application/xml", b"")) as endpoint:
        assert not ServiceStore(lambda name: client(name, endpoint)).has_object("bucket", "config.yaml")


@pytest.mark.parametrize(
    "partition", json.loads(PARTITIONS.read_text())["partitions"], ids=lambda one: one["id"]
)
def test_every_partition_of_botocores_is_known(partition: dict[str, Any]) -> None:
    suffixes = {partition["outputs"][kind] for kind in ("dnsSuffix", "dualStackDnsSuffix")}
    assert all(
        is_aws(f"https://sts.region.{suffix}") and is_aws(f"sts.region.{suffix}:443") for suffix in suffixes
    )
    assert {partition_of(region) for region in partition["regions"]} == {partition["id"]}


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-north-9", "aws"),
        ("cn-south-7", "aws-cn"),
        ("eusc-de-west-2", "aws-eusc"),
        ("us-isof-north-3", "aws-iso-f"),
    ],
)
def test_a_region_that_is_newer_than_botocore_is_of_the_partition_whose_pattern_it_fits(
    region: str, partition: str
) -> None:
    assert partition_of(region) == partition


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({}, "eu-central-1"),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "eu-central-1"),
        ({"AWS_USE_FIPS_ENDPOINT": "true"}, "us-gov-west-1"),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "eusc-de-east-1"),
        ({}, "us-iso-east-1"),
        ({}, "cn-north-1"),
        ({"AWS_ENDPOINT_URL": ""}, "eu-central-1"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "eu-central-1"),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
            "eu-west-1",
        ),
        ({"AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://127.0.0.1:1"}, "eu-central-1"),
        ({"AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": "http://127.0.0.1:1", "AWS_PROFILE": "files"}, "eu-central-1"),
        ({"AWS_PROFILE": "files"}, "eu-central-1"),
        ({"AWS_PROFILE": "ignoring"}, "eu-central-1"),
    ],
    ids=str,
)
def test_what_is_configured_is_what_botocore_resolves(
    variables: dict[str, str], region: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config"
    file.write_text(
        "[profile files]\nservices = mine\nendpoint_url = http://127.0.0.1:2\n"
        "[services mine]\nsts =\n  endpoint_url = https://sts.amazonaws.com\n"
        "[profile ignoring]\nendpoint_url = http://127.0.0.1:2\nignore_configured_endpoint_urls = true\n"
    )
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in ({"AWS_CONFIG_FILE": str(file)} | variables).items():
        monkeypatch.setenv(name, value)
    session = botocore.session.Session()
    session.set_credentials("a", "b")

    found = configured(session, SERVICES)

    for service in SERVICES:
        where = place(session.create_client(service, region_name=region))
        assert where.url == found.get(service, where.url)
        assert where.aws == is_aws(found.get(service, "https://amazonaws.com"))


def test_every_service_that_commands_ask_is_looked_up_first() -> None:
    folder = Path(endpoints.__file__).parent
    asked = re.compile(r"(?:_clients|clients|_ask|_offered|_where_there_is)\(\s*[\"']([a-z0-9-]+)[\"']")
    named = {name for path in folder.glob("*.py") for name in asked.findall(path.read_text())}

    assert named - {"pricing", "describe_services", "describe_task_definition", "update_service"} <= set(
        SERVICES
    )
    assert {"cloudformation", "s3", "ecs"} <= named
