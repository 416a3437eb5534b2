"""The one edge to AWS: what botocore answers and raises, in our words. Its own stubs play the services."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError
from botocore.stub import ANY, Stubber

from deployer.aws.account import Aws, connect
from deployer.aws.errors import call
from deployer.aws.shapes import change_set_state, stack_state, validation_failure
from deployer.checks.zone_needs import Needs
from deployer.errors import CloudError, DeployError, LoginOver, MovedOn, NotAllowed, Refused, Transient
from deployer.readiness.table import Condition
from deployer.states import Change, ChangeSetInputs, ChangeSetRequest, Output, PropertyChange, Resource

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAME, ARN = "dev-a", "arn:aws:cloudformation:eu-west-1:111122223333:stack/dev-a/1"


@cache
def session() -> botocore.session.Session:
    """One for all: loading the service models takes most of a test's time."""
    made = botocore.session.Session()
    made.set_credentials("AKIAEXAMPLE", "example")
    return made


class Stubs:
    """An `Aws` whose clients answer what they were told, in order, and check what they are asked."""

    def __init__(self, endpoint: str | None = None) -> None:
        self.endpoint = endpoint
        self.stubs: dict[str, Stubber] = {}
        self.aws = Aws(self.client("cloudformation"), self.client, "eu-west-1")

    def client(self, service: str) -> Any:
        if service not in self.stubs:
            made = session().create_client(service, region_name="eu-west-1", endpoint_url=self.endpoint)
            self.stubs[service] = Stubber(made)
            self.stubs[service].activate()
        return self.stubs[service].client

    def answer(
        self, service: str, method: str, answer: dict[str, Any], asked: dict[str, Any] | None = None
    ) -> None:
        self.client(service)
        self.stubs[service].add_response(method, answer, asked)

    def refuse(self, service: str, method: str, code: str, message: str = "no", status: int = 400) -> None:
        self.client(service)
        self.stubs[service].add_client_error(method, code, message, http_status_code=status)

    @contextmanager
    def active(self) -> Iterator[Aws]:
        yield self.aws
        for stub in self.stubs.values():
            stub.assert_no_pending_responses()


@pytest.fixture
def stubs() -> Stubs:
    return Stubs()


@pytest.fixture
def emulated() -> Stubs:
    return Stubs("http://127.0.0.1:9")


def described(name: str = NAME, status: str = "CREATE_COMPLETE", **more: Any) -> dict[str, Any]:
    arn = ARN.replace("dev-a", name)
    return {"StackName": name, "StackId": arn, "StackStatus": status, "CreationTime": NOW, **more}


# looks


def test_one_look_reads_every_page_and_keeps_what_was_asked_for(stubs: Stubs) -> None:
    stubs.answer("cloudformation", "describe_stacks", {"Stacks": [described("x")], "NextToken": "2"}, {})
    stubs.answer("cloudformation", "describe_stacks", {"Stacks": [described()]}, {"NextToken": "2"})

    with stubs.active() as aws:
        assert [state.name for state in aws.stacks([NAME, "dev-b"])] == [NAME]


def test_a_deleted_stack_is_asked_for_by_its_id(stubs: Stubs) -> None:
    stubs.answer("cloudformation", "describe_stacks", {"Stacks": []}, {})
    gone = described(status="DELETE_COMPLETE")
    stubs.answer("cloudformation", "describe_stacks", {"Stacks": [gone]}, {"StackName": ARN})

    with stubs.active() as aws:
        assert [state.status for state in aws.stacks([NAME], [ARN])] == ["DELETE_COMPLETE"]


def test_in_a_region_of_many_stacks_each_is_asked_for_alone(stubs: Stubs) -> None:
    for page in range(4):
        more = {"NextToken": str(page)} if page < 3 else {}
        stubs.answer("cloudformation", "describe_stacks", {"Stacks": [], **more})
    stubs.answer("cloudformation", "describe_stacks", {"Stacks": [described()]}, {"StackName": NAME})

    with stubs.active() as aws:
        aws.stacks([NAME])
        assert [state.name for state in aws.stacks([NAME])] == [NAME]


def test_without_the_permission_to_list_each_is_asked_for_alone(stubs: Stubs) -> None:
    stubs.refuse("cloudformation", "describe_stacks", "AccessDenied", status=403)
    stubs.answer("cloudformation", "describe_stacks", {"Stacks": [described()]}, {"StackName": NAME})
    stubs.refuse("cloudformation", "describe_stacks", "ValidationError", "Stack with id dev-b does not exist")

    with stubs.active() as aws:
        assert [state.name for state in aws.stacks(dict.fromkeys([NAME]))] == [NAME]
        assert aws.stacks(["dev-b"]) == ()


def test_a_stack_is_read_whole() -> None:
    state = stack_state(
        described(
            StackStatusReason="why",
            LastUpdatedTime=NOW,
            ChangeSetId="c",
            Outputs=[{"OutputKey": "Id", "OutputValue": "v", "ExportName": "e", "Description": "d"}],
            Parameters=[{"ParameterKey": "P", "ParameterValue": "1"}],
            Tags=[{"Key": "K", "Value": "V"}],
            EnableTerminationProtection=True,
        )
    )

    assert state.outputs == (Output("Id", "v", "e", "d"),)
    assert (state.parameters, state.tags, state.protected) == ({"P": "1"}, {"K": "V"}, True)
    assert state.mark == (ARN, "CREATE_COMPLETE", NOW.isoformat(), "c", "why")


# change sets

REQUEST = ChangeSetRequest(
    NAME, "CREATE", "gatestack-1", "token", "{}", None, {"P": "1"}, {"K": "V"}, ("CAPABILITY_IAM",), "why"
)


def test_a_change_set_is_asked_for_with_a_token(stubs: Stubs) -> None:
    asked = {
        "StackName": NAME,
        "ChangeSetName": "gatestack-1",
        "ChangeSetType": "CREATE",
        "ClientToken": "token",
        "Description": "why",
        "Capabilities": ["CAPABILITY_IAM"],
        "Parameters": [{"ParameterKey": "P", "ParameterValue": "1"}],
        "Tags": [{"Key": "K", "Value": "V"}],
        "TemplateBody": "{}",
        "RollbackConfiguration": {"RollbackTriggers": [], "MonitoringTimeInMinutes": 0},
    }
    stubs.answer("cloudformation", "create_change_set", {"Id": "c", "StackId": ARN}, asked)

    with stubs.active() as aws:
        made = aws.create_change_set(REQUEST)

    assert (made.id, made.stack_id, made.status, made.execution) == (
        "c",
        ARN,
        "CREATE_PENDING",
        "UNAVAILABLE",
    )


def test_a_change_set_of_that_name_is_taken_up(stubs: Stubs) -> None:
    stubs.refuse("cloudformation", "create_change_set", "AlreadyExistsException", "exists")
    there = {
        "ChangeSetId": "c", "ChangeSetName": "gatestack-1", "StackId": ARN, "Status": "CREATE_COMPLETE",
        "ExecutionStatus": "AVAILABLE",
    }  # fmt: skip
    which = {"StackName": NAME, "ChangeSetName": "gatestack-1"}
    stubs.answer("cloudformation", "describe_change_set", there, which)

    with stubs.active() as aws:
        assert aws.create_change_set(REQUEST).execution == "AVAILABLE"


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("ValidationError", "Stack:arn is in UPDATE_IN_PROGRESS state and can not be updated.", MovedOn),
        ("ValidationError", "Stack [dev-a] already exists and cannot be created again", MovedOn),
        ("LimitExceededException", "ChangeSet limit exceeded", CloudError),
    ],
)
def test_a_refused_change_set_says_whether_to_look_again(
    stubs: Stubs, code: str, message: str, kind: type[Exception]
) -> None:
    stubs.refuse("cloudformation", "create_change_set", code, message)

    with stubs.active() as aws, pytest.raises(CloudError) as error:
        aws.create_change_set(REQUEST)
    assert type(error.value) is kind


def test_a_change_set_is_read_to_its_last_page() -> None:
    change = {
        "Type": "Resource",
        "ResourceChange": {
            "Action": "Modify",
            "LogicalResourceId": "Db",
            "PhysicalResourceId": "db-1",
            "ResourceType": "AWS::RDS::DBInstance",
            "Replacement": "True",
            "PolicyAction": "ReplaceAndSnapshot",
            "Scope": ["Properties"],
            "Details": [
                {
                    "Target": {
                        "Attribute": "Properties",
                        "Name": "Engine",
                        "RequiresRecreation": "Always",
                        "Path": "/Properties/Engine",
                        "BeforeValue": "a",
                        "AfterValue": "b",
                    },
                    "ChangeSource": "ParameterReference",
                    "CausingEntity": "EngineVersion",
                }
            ],
        },
    }
    stubs = Stubs()
    page = {"ChangeSetId": "c", "ChangeSetName": "n", "StackId": ARN, "Status": "CREATE_COMPLETE"}
    hook = {"Type": "Resource", "HookInvocationCount": 1}
    stubs.answer("cloudformation", "describe_change_set", page | {"Changes": [change], "NextToken": "2"})
    stubs.answer("cloudformation", "describe_change_set", page | {"Changes": [hook, change]})

    with stubs.active() as aws:
        found = aws.change_set("c")

    detail = PropertyChange(
        "Properties", "/Properties/Engine", "Always", "a", "b", "ParameterReference EngineVersion"
    )
    one = Change(
        "Modify",
        "Db",
        "AWS::RDS::DBInstance",
        "db-1",
        "True",
        "ReplaceAndSnapshot",
        ("Properties",),
        (detail,),
    )
    assert found is not None
    assert found.changes == (one, one)


@pytest.mark.parametrize(
    ("code", "message"),
    [("ChangeSetNotFound", "no"), ("ValidationError", "Stack [dev-a] does not exist")],
)
def test_a_change_set_that_is_gone_is_none_and_needs_no_removing(
    stubs: Stubs, code: str, message: str
) -> None:
    for method in ("describe_change_set", "delete_change_set"):
        stubs.refuse("cloudformation", method, code, message)

    with stubs.active() as aws:
        assert aws.change_set("c") is None
        aws.delete_change_set("c")


def test_where_values_are_unknown_there_are_none(stubs: Stubs) -> None:
    stubs.refuse("cloudformation", "describe_change_set", "ValidationError", "IncludePropertyValues?")

    with stubs.active() as aws:
        assert aws.change_set_values("c") is None


def executed(status: str) -> dict[str, Any]:
    return {"ChangeSetId": "c", "Status": "CREATE_COMPLETE", "ExecutionStatus": status}


def test_the_first_execution_leaves_nothing_behind_when_it_fails(stubs: Stubs) -> None:
    asked = {"ChangeSetName": "c", "ClientRequestToken": "t"}
    stubs.answer("cloudformation", "execute_change_set", {}, asked | {"RetainExceptOnCreate": True})
    stubs.answer("cloudformation", "execute_change_set", {}, asked)

    with stubs.active() as aws:
        aws.execute("c", "t", creation=True)
        aws.execute("c", "t", creation=False)


def test_an_endpoint_without_a_newer_option_is_asked_without_it(stubs: Stubs) -> None:
    stubs.refuse("cloudformation", "execute_change_set", "ValidationError", "unknown RetainExceptOnCreate")
    asked = {"ChangeSetName": "c", "ClientRequestToken": "t"}
    stubs.answer("cloudformation", "execute_change_set", {}, asked)

    with stubs.active() as aws:
        aws.execute("c", "t", creation=True)


def test_an_execution_that_was_carried_out_before_is_no_error(stubs: Stubs) -> None:
    stubs.refuse("cloudformation", "execute_change_set", "InvalidChangeSetStatus")
    stubs.answer("cloudformation", "describe_change_set", executed("EXECUTE_IN_PROGRESS"))

    with stubs.active() as aws:
        aws.execute("c", "t", creation=False)


def test_a_change_set_that_went_out_of_date_is_looked_at_again(stubs: Stubs) -> None:
    stubs.refuse("cloudformation", "execute_change_set", "InvalidChangeSetStatus")
    stubs.answer("cloudformation", "describe_change_set", executed("OBSOLETE"))

    with stubs.active() as aws, pytest.raises(MovedOn):
        aws.execute("c", "t", creation=False)


def test_validation_errors_of_a_change_set_are_read_where_there_are_any(stubs: Stubs) -> None:
    event = {"EventType": "VALIDATION_ERROR", "LogicalResourceId": "Db", "ValidationPath": "/Engine",
             "ValidationStatusReason": "no such engine"}  # fmt: skip
    stubs.answer("cloudformation", "describe_events", {"OperationEvents": [event, {"EventType": "X"}]})
    stubs.refuse("cloudformation", "describe_events", "InvalidAction")

    with stubs.active() as aws:
        assert aws.change_set_failures("c") == ("Db /Engine: no such engine",)
        assert aws.change_set_failures("c") == ()
    assert validation_failure({"ValidationStatus": "FAILED", "ResourceStatusReason": "odd"}) == "odd"


# events, exports, templates


def test_events_come_oldest_first_and_only_those_since_the_last(stubs: Stubs) -> None:
    def page(*ids: str, **more: Any) -> dict[str, Any]:
        return {
            "StackEvents": [
                {"EventId": one, "StackId": ARN, "StackName": NAME, "Timestamp": NOW} for one in ids
            ],
            **more,
        }

    stubs.answer("cloudformation", "describe_stack_events", page("5", "4", NextToken="2"))
    stubs.answer("cloudformation", "describe_stack_events", page("4", "3", "2", "1", NextToken="3"))

    with stubs.active() as aws:
        assert [event.id for event in aws.events(ARN, after="2")] == ["3", "4", "5"]


def test_an_export_that_nobody_imports_is_no_error(stubs: Stubs) -> None:
    stubs.refuse(
        "cloudformation", "list_imports", "ValidationError", "Export 'e' is not imported by any stack."
    )
    stubs.answer("cloudformation", "list_imports", {"Imports": ["dev-b"]})

    with stubs.active() as aws:
        assert aws.importers("e") == ()
        assert aws.importers("e") == ("dev-b",)


def test_exports_name_their_owner(stubs: Stubs) -> None:
    one = {"Name": "e", "Value": "v", "ExportingStackId": ARN}
    stubs.answer("cloudformation", "list_exports", {"Exports": [one]})

    with stubs.active() as aws:
        assert [export.stack_name for export in aws.exports()] == [NAME]


def test_a_template_is_text_whatever_botocore_made_of_it(stubs: Stubs) -> None:
    stubs.answer("cloudformation", "get_template", {"TemplateBody": "{}"})

    with stubs.active() as aws:
        assert json.loads(aws.template(ARN)) == {}


@pytest.mark.parametrize("method", ["delete_stack", "continue_rollback", "roll_back"])
def test_a_token_that_was_used_already_is_no_error(stubs: Stubs, method: str) -> None:
    of_botocore = {"continue_rollback": "continue_update_rollback", "roll_back": "rollback_stack"}
    stubs.refuse("cloudformation", of_botocore.get(method, method), "TokenAlreadyExistsException")

    with stubs.active() as aws:
        getattr(aws, method)(ARN, "t")


# the other services


def test_an_image_is_there_or_not(stubs: Stubs) -> None:
    found = {"imageDetails": [{"imageTags": ["v1"]}]}
    stubs.answer(
        "ecr", "describe_images", found, {"repositoryName": "repo", "imageIds": [{"imageTag": "v1"}]}
    )
    stubs.refuse("ecr", "describe_images", "ImageNotFoundException")
    stubs.refuse("ecr", "describe_images", "RepositoryNotFoundException")

    with stubs.active() as aws:
        assert [aws.has_image("repo", "v1") for _ in range(3)] == [True, False, False]


def test_database_versions_are_looked_up(stubs: Stubs) -> None:
    one, two = ({"DBEngineVersions": [{"EngineVersion": version}]} for version in ("16.4", "17.1"))
    stubs.answer("rds", "describe_db_engine_versions", one | {"Marker": "m"}, {"Engine": "postgres"})
    stubs.answer("rds", "describe_db_engine_versions", two, {"Engine": "postgres", "Marker": "m"})
    stubs.answer("rds", "describe_db_instances", {"DBInstances": [{"EngineVersion": "16.8"}]})
    stubs.refuse("rds", "describe_db_instances", "DBInstanceNotFound", status=404)

    with stubs.active() as aws:
        assert aws.engine_versions("postgres") == ("16.4", "17.1")
        assert (aws.database_version("db"), aws.database_version("db")) == ("16.8", None)


def test_the_size_of_a_disk_and_of_a_snapshot_are_looked_up(stubs: Stubs) -> None:
    stubs.answer("rds", "describe_db_instances", {"DBInstances": [{"AllocatedStorage": 30}]})
    stubs.refuse("rds", "describe_db_instances", "DBInstanceNotFound", status=404)
    stubs.answer("rds", "describe_db_snapshots", {"DBSnapshots": [{"AllocatedStorage": 50}]})
    stubs.refuse("rds", "describe_db_snapshots", "DBSnapshotNotFound", status=404)

    with stubs.active() as aws:
        assert [aws.database_storage("db") for _ in range(2)] == [30, None]
        assert [aws.snapshot_storage("before") for _ in range(2)] == [50, None]


def test_the_version_of_a_cluster_is_looked_up_as_a_clusters(stubs: Stubs) -> None:
    stubs.answer("rds", "describe_db_clusters", {"DBClusters": [{"EngineVersion": "16.11"}]})
    stubs.refuse("rds", "describe_db_clusters", "DBClusterNotFoundFault", status=404)

    with stubs.active() as aws:
        found = [aws.database_version("db", cluster=True) for _ in range(2)]
    assert found == ["16.11", None]


def test_a_cluster_is_unlocked_for_its_instances_which_have_no_lock(stubs: Stubs) -> None:
    member = {"DBInstances": [{"DBInstanceIdentifier": "db-1", "DBClusterIdentifier": "db"}]}
    stubs.answer("rds", "describe_db_instances", member, {"DBInstanceIdentifier": "db-1"})
    off = {"DBClusterIdentifier": "db", "DeletionProtection": False}
    stubs.answer("rds", "modify_db_cluster", {}, off)

    with stubs.active() as aws:
        aws.unlock(Resource("DatabaseInstance1", "db-1", "AWS::RDS::DBInstance", "CREATE_COMPLETE"))
        aws.unlock(Resource("DatabaseCluster", "db", "AWS::RDS::DBCluster", "CREATE_COMPLETE"))


def test_a_locked_instance_is_unlocked(stubs: Stubs) -> None:
    alone = {"DBInstances": [{"DBInstanceIdentifier": "db"}]}
    stubs.answer("rds", "describe_db_instances", alone, {"DBInstanceIdentifier": "db"})
    off = {"DBInstanceIdentifier": "db", "DeletionProtection": False}
    stubs.answer("rds", "modify_db_instance", {}, off)

    with stubs.active() as aws:
        aws.unlock(Resource("Database", "db", "AWS::RDS::DBInstance", "CREATE_COMPLETE"))


LOOKUPS = [
    ("ec2", "describe_availability_zones", lambda aws: aws.zones(Needs("eu-west-1", 2), ())),
    ("ecr", "describe_images", lambda aws: aws.has_image("repo", "v1")),
    ("rds", "describe_db_engine_versions", lambda aws: aws.engine_versions("postgres")),
    ("rds", "describe_db_instances", lambda aws: aws.database_version("db")),
    ("rds", "describe_db_instances", lambda aws: aws.database_storage("db")),
    ("rds", "describe_db_snapshots", lambda aws: aws.snapshot_storage("before")),
    ("s3", "list_object_versions", lambda aws: aws.empty_bucket("b")),
]


@pytest.mark.parametrize(("service", "method", "ask"), LOOKUPS)
@pytest.mark.parametrize(("code", "status"), [("InternalFailure", 500), ("InvalidAction", 400), ("501", 501)])
def test_an_emulator_without_a_service_cannot_tell(
    emulated: Stubs, service: str, method: str, ask: Any, code: str, status: int
) -> None:
    emulated.refuse(service, method, code, status=status)

    with emulated.active() as aws:
        assert ask(aws) is None


@pytest.mark.parametrize(("service", "method", "ask"), LOOKUPS)
def test_an_error_of_real_aws_is_an_error(stubs: Stubs, service: str, method: str, ask: Any) -> None:
    for code in ("InternalFailure", "InvalidParameter"):
        stubs.refuse(service, method, code, status=500 if code == "InternalFailure" else 400)

    with stubs.active() as aws:
        with pytest.raises(Transient):
            ask(aws)
        with pytest.raises(CloudError):
            ask(aws)


@pytest.mark.parametrize(("service", "method", "ask"), LOOKUPS[:3])
def test_a_missing_permission_is_named_everywhere(
    emulated: Stubs, service: str, method: str, ask: Any
) -> None:
    emulated.refuse(service, method, "AccessDeniedException", status=403)
    operation = "".join(part.capitalize() for part in method.split("_")).replace("Db", "DB")

    with (
        emulated.active() as aws,
        pytest.raises(NotAllowed, match=f"grant the permission {service}:{operation}"),
    ):
        ask(aws)


def test_an_object_is_put_and_has_a_url(stubs: Stubs) -> None:
    stubs.answer("s3", "put_object", {}, {"Bucket": "b", "Key": "k", "Body": "é".encode()})

    with stubs.active() as aws:
        assert aws.put_object("b", "k", "é".encode()) is True
        assert aws.object_url("b", "k") == "https://s3.eu-west-1.amazonaws.com/b/k"


def test_an_object_is_read_and_one_that_is_not_there_is_none(stubs: Stubs) -> None:
    asked = {"Bucket": "b", "Key": "k"}
    stubs.answer("s3", "get_object", {"Body": io.BytesIO(b"a: 1")}, asked)
    stubs.refuse("s3", "get_object", "NoSuchKey", status=404)

    with stubs.active() as aws:
        assert aws.get_object("b", "k") == b"a: 1"
        assert aws.get_object("b", "k") is None


@pytest.mark.parametrize(("code", "status"), [("404", 404), ("501", 501), ("InternalFailure", 500)])
def test_an_emulator_without_s3_may_show_it_only_when_something_is_put(
    emulated: Stubs, code: str, status: int
) -> None:
    emulated.refuse("s3", "put_object", code, status=status)
    emulated.refuse("s3", "put_object", "NoSuchBucket", status=404)
    emulated.refuse("s3", "put_object", "SlowDown", status=503)

    with emulated.active() as aws:
        assert aws.put_object("b", "k", b"") is False
        with pytest.raises(CloudError, match="NoSuchBucket"):
            aws.put_object("b", "k", b"")
        with pytest.raises(Transient):
            aws.put_object("b", "k", b"")


def test_the_artifacts_bucket_is_closed_before_it_is_used(stubs: Stubs) -> None:
    name = "gatestack-artifacts-111122223333-eu-west-1"
    stubs.refuse("s3", "head_bucket", "404", status=404)
    where = {"LocationConstraint": "eu-west-1"}
    stubs.answer("s3", "create_bucket", {}, {"Bucket": name, "CreateBucketConfiguration": where})
    for method, what in (
        ("put_public_access_block", "PublicAccessBlockConfiguration"),
        ("put_bucket_encryption", "ServerSideEncryptionConfiguration"),
        ("put_bucket_versioning", "VersioningConfiguration"),
        ("put_bucket_policy", "Policy"),
    ):
        stubs.answer("s3", method, {}, {"Bucket": name, what: ANY})

    with stubs.active() as aws:
        assert [aws.artifacts_bucket("111122223333") for _ in range(2)] == [name, name]


def test_only_the_accounts_own_artifacts_bucket_is_looked_for(stubs: Stubs) -> None:
    name = "gatestack-artifacts-111122223333-eu-west-1"
    stubs.answer("s3", "head_bucket", {}, {"Bucket": name, "ExpectedBucketOwner": "111122223333"})

    with stubs.active() as aws:
        assert aws.artifacts_bucket("111122223333") == name


def test_an_artifacts_bucket_of_somebody_else_is_not_used(stubs: Stubs) -> None:
    stubs.refuse("s3", "head_bucket", "403", status=403)

    with stubs.active() as aws, pytest.raises(CloudError):
        aws.artifacts_bucket("111122223333")


def test_a_bucket_is_emptied_of_every_version_and_marker(stubs: Stubs) -> None:
    page = {
        "Versions": [{"Key": "a", "VersionId": "1"}, {"Key": "a", "VersionId": "2"}],
        "DeleteMarkers": [{"Key": "b", "VersionId": "3"}],
    }
    gone = [{"Key": key, "VersionId": version} for key, version in (("a", "1"), ("a", "2"), ("b", "3"))]
    stubs.answer("s3", "list_object_versions", page)
    stubs.answer("s3", "delete_objects", {}, {"Bucket": "b", "Delete": {"Objects": gone, "Quiet": True}})
    stubs.answer("s3", "list_object_versions", {})
    stubs.refuse("s3", "list_object_versions", "NoSuchBucket", status=404)

    with stubs.active() as aws:
        assert (aws.empty_bucket("b"), aws.empty_bucket("b")) == (3, 0)


def test_the_account_is_asked_for(stubs: Stubs) -> None:
    stubs.answer("sts", "get_caller_identity", {"Account": "111122223333"})

    with stubs.active() as aws:
        assert aws.account() == "111122223333"


# what goes wrong


@pytest.mark.parametrize(
    ("code", "status", "kind", "words"),
    [
        ("Throttling", 400, Transient, "no"),
        ("ServiceUnavailable", 503, Transient, "no"),
        ("ExpiredToken", 403, LoginOver, "log in again"),
        ("InvalidClientTokenId", 403, LoginOver, "log in again"),
        ("AccessDenied", 403, NotAllowed, "grant the permission cloudformation:ListExports"),
        ("ValidationError", 400, CloudError, "cloudformation ListExports: no (ValidationError)"),
    ],
)
def test_an_error_answer_says_what_to_do(
    stubs: Stubs, code: str, status: int, kind: type[DeployError], words: str
) -> None:
    stubs.refuse("cloudformation", "list_exports", code, status=status)

    with stubs.active() as aws, pytest.raises(DeployError) as error:
        aws.exports()
    assert type(error.value) is kind
    assert words in str(error.value)


def test_the_permission_that_lacks_is_what_iam_calls_it_in_aws_s_message(stubs: Stubs) -> None:
    """An operation and its action may differ: ListObjectsV2 is s3:ListBucket."""
    said = "User: arn:aws:iam::111122223333:user/ci is not authorized to perform: cloudformation:ListX on *"
    stubs.refuse("cloudformation", "list_exports", "AccessDenied", said, status=403)

    with (
        stubs.active() as aws,
        pytest.raises(NotAllowed, match=r"grant the permission cloudformation:ListX$"),
    ):
        aws.exports()


class Broken:
    """A client that raises."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self.meta = Stubs().client("cloudformation").meta

    def list_exports(self) -> Any:
        raise self._error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (boto.EndpointConnectionError(endpoint_url="http://x"), Transient),
        (boto.ReadTimeoutError(endpoint_url="http://x"), Transient),
        (ResponseParserError("<html>"), Transient),
        (boto.NoCredentialsError(), Refused),
        (boto.ProfileNotFound(profile="p"), Refused),
        (boto.TokenRetrievalError(provider="sso", error_msg="over"), LoginOver),
        (boto.ParamValidationError(report="bad"), CloudError),
    ],
)
def test_what_never_reached_aws_says_what_to_do(error: Exception, kind: type[DeployError]) -> None:
    with pytest.raises(DeployError) as raised:
        call(Broken(error), "list_exports")
    assert type(raised.value) is kind


def test_an_unknown_profile_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with pytest.raises(Refused, match="nobody"):
        connect("eu-west-1", profile="nobody")


@pytest.mark.parametrize("answer", [{}, {"Tags": [], "Parameters": [], "Capabilities": []}])
def test_what_a_change_set_was_not_made_with_is_nothing_on_aws_and_untold_by_an_emulator(answer: Any) -> None:
    answer = {"ChangeSetId": "c", "Status": "CREATE_COMPLETE", **answer}

    assert change_set_state(answer, []).inputs == ChangeSetInputs({}, {}, (), ())
    assert change_set_state(answer, [], emulated=True).inputs == ChangeSetInputs()


def test_a_change_set_without_names_is_read_all_the_same() -> None:
    assert change_set_state({"ChangeSetId": "c", "Status": "FAILED"}, []).execution == "UNAVAILABLE"


EXPRESS = {"Mode": "EXPRESS", "DisableRollback": False}


@pytest.mark.parametrize("refused", [False, True])
def test_a_change_set_in_express_mode_keeps_its_rollback_and_goes_on_in_standard_where_it_is_unknown(
    stubs: Stubs, *, refused: bool
) -> None:
    usual = ("StackName", "ChangeSetName", "ChangeSetType", "ClientToken", "Description", "Capabilities")
    asked = dict.fromkeys((*usual, "Parameters", "Tags", "TemplateBody", "RollbackConfiguration"), ANY)
    if refused:
        text = "Unknown parameter DeploymentConfig"
        stubs.refuse("cloudformation", "create_change_set", "ValidationError", text)
    config = {} if refused else {"DeploymentConfig": EXPRESS}
    stubs.answer("cloudformation", "create_change_set", {"Id": "c", "StackId": ARN}, asked | config)

    with stubs.active() as aws:
        assert aws.create_change_set(replace(REQUEST, express=True)).id == "c"


def test_a_botocore_that_does_not_know_express_mode_is_not_given_it(
    stubs: Stubs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Aws, "_knows_express", lambda _: False)
    seen: list[str] = []
    client = stubs.client("cloudformation")
    client.meta.events.register(
        "provide-client-params.cloudformation.CreateChangeSet", lambda params, **_: seen.extend(params)
    )
    stubs.answer("cloudformation", "create_change_set", {"Id": "c", "StackId": ARN})

    with stubs.active() as aws:
        aws.create_change_set(replace(REQUEST, express=True))
    assert "StackName" in seen
    assert "DeploymentConfig" not in seen


@pytest.mark.parametrize(
    ("type_name", "method", "answer", "wanted"),
    [
        ("AWS::RDS::DBInstance", "rds describe_db_instances", {"DBInstances": []}, ""),
        (
            "AWS::RDS::DBInstance",
            "rds describe_db_instances",
            {"DBInstances": [{"DBInstanceStatus": "creating"}]},
            "creating",
        ),
        (
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "elbv2 describe_load_balancers",
            {"LoadBalancers": [{"State": {"Code": "active"}}]},
            "active",
        ),
    ],
)
def test_a_resource_is_asked_of_its_own_service(
    stubs: Stubs, type_name: str, method: str, answer: dict[str, Any], wanted: str
) -> None:
    service, name = method.split()
    stubs.answer(service, name, answer)

    with stubs.active() as aws:
        assert aws.condition(type_name, "one") == Condition(wanted)


def test_a_resource_that_its_service_does_not_know_yet_is_not_ready(stubs: Stubs, emulated: Stubs) -> None:
    for each in (stubs, emulated):
        each.refuse("ec2", "describe_nat_gateways", "NatGatewayNotFound")

    assert stubs.aws.condition("AWS::EC2::NatGateway", "nat-1") == Condition("")
    assert emulated.aws.condition("AWS::EC2::NatGateway", "nat-1") is None
    stubs.refuse("rds", "describe_db_instances", "AccessDenied")
    with pytest.raises(NotAllowed, match="rds:DescribeDBInstances"):
        stubs.aws.condition("AWS::RDS::DBInstance", "db")
    old = "arn:aws:ecs:eu-west-1:111122223333:service/proxy"  # it names no cluster
    assert stubs.aws.condition("AWS::ECS::Service", old) is None
    stubs.refuse("rds", "describe_db_clusters", "InternalError2")
    with pytest.raises(CloudError):
        stubs.aws.condition("AWS::RDS::DBCluster", "db")
