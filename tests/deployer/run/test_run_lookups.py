"""Deployments that depend on what only the account knows: images, versions, files in S3."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from deployer.errors import CloudError, Refused, Transient
from deployer.progress import (
    Notice,
)
from generator.manifest import Lookup, Manifest, Upload
from tests.deployer.fakes import manifest, spec, template
from tests.deployer.run.runs import World, outcomes, with_topic


@pytest.fixture
def world() -> World:
    return World()


# what only the account knows

COUNT = {"repository": "dev-litellm", "tag": "v1", "count": "2", "scaled": "true"}
SERVICE = spec("service", lookups=(Lookup("DesiredCount", "desired-count", COUNT),))


def desired(world: World) -> str:
    return world.cloud.stacks(["dev-service"])[0].parameters["DesiredCount"]


def test_without_an_image_no_task_is_started_and_the_next_deployment_starts_them(world: World) -> None:
    world.deploy(manifest(SERVICE))
    notice = world.said(Notice)[0]
    assert (desired(world), notice.warning) == ("0", True)
    assert "dev-litellm:v1 is not in ECR yet" in notice.text
    assert "gatestack deploy dev" in notice.text

    world.cloud.images = {"dev-litellm:v1"}
    assert outcomes(world.deploy(manifest(SERVICE))) == {"service": ("update", "done")}
    assert desired(world) == "2"
    assert outcomes(world.deploy(manifest(SERVICE))) == {"service": ("none", "done")}


def test_scaling_owns_the_count_of_a_service_that_runs(world: World) -> None:
    world.cloud.images = {"dev-litellm:v1"}
    world.deploy(manifest(SERVICE))

    world.deploy(manifest(with_topic(SERVICE, New={"Type": "AWS::SNS::Topic"})))

    assert desired(world) == ""


def test_an_image_that_is_missing_stops_the_update_of_running_tasks(world: World) -> None:
    world.cloud.images = {"dev-litellm:v1"}
    world.deploy(manifest(SERVICE))
    world.forget()
    newer = replace(SERVICE, lookups=(Lookup("DesiredCount", "desired-count", COUNT | {"tag": "v2"}),))

    result = world.deploy(manifest(newer))

    assert outcomes(result) == {"service": ("update", "failed")}
    assert "push it first (`gatestack image dev --push --tag v2`)" in result.stacks[0].reason
    assert world.cloud.count("create_change_set") == 0


def test_the_live_engine_version_is_never_gone_below(world: World) -> None:
    facts = {"engine": "postgres", "version": "16.4", "identifier": "dev-litellm"}
    database = spec("database", lookups=(Lookup("EngineVersion", "engine-version", facts),))
    world.deploy(manifest(database))
    assert world.cloud.stacks(["dev-database"])[0].parameters == {"EngineVersion": "16.4"}

    world.cloud.live_version = "16.8"
    world.deploy(manifest(database))

    assert world.cloud.stacks(["dev-database"])[0].parameters == {"EngineVersion": "16.8"}


def test_the_live_version_of_aurora_is_its_clusters(world: World) -> None:
    facts = {"engine": "aurora-postgresql", "version": "16.8", "identifier": "dev-litellm-aurora"}
    database = spec("database", lookups=(Lookup("EngineVersion", "engine-version", facts),))
    world.deploy(manifest(database))
    world.deploy(manifest(database))

    assert ("database_version", "dev-litellm-aurora (cluster)") in world.cloud.calls


def test_a_secret_that_somebody_puts_in_is_a_change_of_the_stack_that_reads_it(world: World) -> None:
    secret = "dev-litellm/alb/ALB_OIDC_CLIENT_SECRET"
    alb = spec("alb", lookups=(Lookup("Version", "secret-version", {"secret": secret}),))
    world.deploy(manifest(alb))
    assert world.cloud.stacks(["dev-alb"])[0].parameters == {"Version": ""}

    world.cloud.secret_versions = {secret: "1" * 32}
    assert outcomes(world.deploy(manifest(alb))) == {"alb": ("update", "done")}
    assert world.cloud.stacks(["dev-alb"])[0].parameters == {"Version": "1" * 32}

    world.cloud.secret_versions = {}  # nobody can tell: what is there stays
    assert outcomes(world.deploy(manifest(alb))) == {"alb": ("none", "done")}


CONFIG = b"model_list: []"
CONFIG_KEY = f"litellm/config-{sha256(CONFIG).hexdigest()[:16]}.yaml"


def service_with_file(tag: str) -> Manifest:
    security = spec("security", template(exports=["dev-security-Bucket"]))
    service = spec(
        "service",
        template(imports=["dev-security-Bucket"]),
        lookups=(Lookup("DesiredCount", "desired-count", COUNT | {"tag": tag}),),
        uploads=(Upload("config.yaml", "dev-security-Bucket", CONFIG_KEY),),
    )
    return manifest(security, service, files={"config.yaml": CONFIG})


def test_files_are_in_s3_before_the_stack_that_needs_them_changes(world: World) -> None:
    world.cloud.images = {"dev-litellm:v1"}

    world.deploy(service_with_file("v1"))

    assert world.cloud.objects == {("value of dev-security-Bucket", CONFIG_KEY): CONFIG}
    methods = [method for method, _ in world.cloud.calls]
    assert methods.index("put_object") < len(methods) - 1 - methods[::-1].index("execute")


def test_without_s3_a_service_without_tasks_is_deployed_all_the_same(world: World) -> None:
    world.cloud.objects = None

    result = world.deploy(service_with_file("v1"))

    assert result.exit_code == 0
    assert "could not be put into S3 (this endpoint has no S3)" in world.said(Notice)[-1].text


def test_without_s3_a_service_with_tasks_is_not_started(world: World) -> None:
    world.cloud.objects = None
    world.cloud.images = {"dev-litellm:v1"}

    result = world.deploy(service_with_file("v1"))

    assert outcomes(result)["service"] == ("create", "failed")
    assert "cannot be put into S3" in result.stacks[1].reason


def test_what_lies_under_a_files_key_already_is_replaced_since_anybody_may_have_put_it_there(
    world: World,
) -> None:
    world.cloud.images = {"dev-litellm:v1"}
    wanted = service_with_file("v1")
    world.deploy(replace(wanted, stacks=wanted.stacks[:1]))
    bucket = "value of dev-security-Bucket"
    world.cloud.objects = {(bucket, CONFIG_KEY): b"model_list: [poisoned]"}

    assert world.deploy(wanted, only=frozenset({"service"})).exit_code == 0

    assert world.cloud.objects == {(bucket, CONFIG_KEY): CONFIG}


def test_a_file_for_a_bucket_that_nobody_exports_stops_the_service(world: World) -> None:
    world.cloud.images = {"dev-litellm:v1"}
    lost = replace(SERVICE, uploads=(Upload("config.yaml", "Nobody", CONFIG_KEY),))

    result = world.deploy(manifest(lost, files={"config.yaml": CONFIG}))

    assert "no stack exports Nobody" in result.stacks[0].reason


FUNCTIONS = b"PK\x00\xff"
KEY = f"functions/rotation-{sha256(FUNCTIONS).hexdigest()[:16]}.zip"
FUNCTION = {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"S3Key": KEY}}}


def with_functions(*, tasks: bool = False) -> Manifest:
    """A database stack with a function, or a service stack with one, whose image is missing."""
    security = spec("security", template(exports=["dev-security-Bucket"]))
    made_from = (Upload("functions.zip", "dev-security-Bucket", KEY),)
    lookups = (Lookup("DesiredCount", "desired-count", COUNT),) if tasks else ()
    text = template({"Rotation": FUNCTION}, imports=["dev-security-Bucket"])
    database = spec("database", text, uploads=made_from, lookups=lookups)
    return manifest(security, database, files={"functions.zip": FUNCTIONS})


def test_what_functions_are_made_from_is_in_the_bucket_of_the_same_run_before_they_are(world: World) -> None:
    assert world.deploy(with_functions()).exit_code == 0

    assert world.cloud.objects == {("value of dev-security-Bucket", KEY): FUNCTIONS}
    methods = [method for method, _ in world.cloud.calls]
    first = methods.index("execute")
    assert first < methods.index("put_object") < methods.index("execute", first + 1)


@pytest.mark.parametrize("tasks", [False, True])
def test_without_s3_the_stack_is_made_without_its_functions_and_that_is_said(
    world: World, *, tasks: bool
) -> None:
    world.cloud.objects = None

    assert world.deploy(with_functions(tasks=tasks)).exit_code == 0

    notice = world.said(Notice)[-1]
    assert (notice.stack, notice.warning) == ("database", True)
    assert notice.text == (
        "functions.zip could not be put into S3 (this endpoint has no S3); "
        "the rotation functions cannot be made there"
    )


@pytest.mark.parametrize("key", ["litellm/config.yaml", f"litellm/config-{'0' * 16}.yaml", CONFIG_KEY[:-6]])
def test_a_file_that_is_not_what_its_key_says_is_refused_before_anything_is_touched(
    world: World, key: str
) -> None:
    service = spec("service", uploads=(Upload("config.yaml", "dev-security-Bucket", key),))

    with pytest.raises(Refused, match=r"service: config\.yaml is not the file that its key .* was made from"):
        world.deploy(manifest(service, files={"config.yaml": CONFIG}))

    assert world.cloud.count("create_change_set", "put_object") == 0


@pytest.mark.parametrize("tasks", [False, True])
def test_an_s3_that_refuses_stops_a_stack_with_functions(world: World, *, tasks: bool) -> None:
    world.cloud.raises["put_object"] = [CloudError("s3 PutObject: no (NoSuchBucket)")]

    result = world.deploy(with_functions(tasks=tasks))

    assert outcomes(result)["database"] == ("create", "failed")
    assert result.stacks[1].reason.startswith(
        "functions.zip cannot be put into S3, and functions of this stack are made from it: s3 PutObject"
    )


def test_an_s3_that_is_busy_is_asked_again(world: World) -> None:
    world.cloud.raises["put_object"] = [Transient("s3: slow down", code="SlowDown")] * 2

    assert world.deploy(with_functions()).exit_code == 0

    assert world.cloud.objects == {("value of dev-security-Bucket", KEY): FUNCTIONS}


def test_a_big_template_goes_through_s3(world: World) -> None:
    big = template({f"Topic{number}": {"Type": "AWS::SNS::Topic"} for number in range(2000)})

    result = world.deploy(manifest(spec("a", big)))

    assert result.exit_code == 0
    assert world.cloud.objects is not None
    assert [bucket for bucket, _ in world.cloud.objects] == ["artifacts-111122223333"]
