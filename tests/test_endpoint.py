"""Telling AWS from what speaks its protocol, and a service that is missing from one that refuses."""

import json
from typing import Any

import botocore.session
import pytest

from deployer.aws.endpoint import ask, emulated
from deployer.aws.rotation_store import RotationStore
from deployer.aws.service_store import ServiceStore
from deployer.errors import CloudError, NotAllowed, NotOffered
from deployer.upkeep.service import Place
from tests.serving import always, serving


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
        ("http://127.0.0.1:4566", True),
        ("https://amazonaws.com.example.com", True),
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
