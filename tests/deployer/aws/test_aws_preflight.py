"""What `preflight` asks of AWS's services: questions and answers are held against their API models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest
from botocore.stub import ANY, Stubber

from deployer.aws.preflight_account import OnAws
from deployer.aws.sign_in.login import log_in
from deployer.errors import CloudError, NotAllowed
from deployer.preflight.account import Decision, Limit, Metric, Request

REGION = "eu-south-1"
ROLE = "arn:aws:iam::123456789012:role/team/Deployer"
KEYS: dict[str, Any] = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}


class Stubbed:
    """A login whose clients answer what a test has given them; nothing is sent."""

    def __init__(self) -> None:
        self.region = REGION
        self._session = botocore.session.Session()
        self._stubs: dict[tuple[str, str], Stubber] = {}
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str) -> Any:
        return self._client(service, self.region)

    def elsewhere(self, region: str) -> Callable[[str], Any]:
        return lambda service: self._client(service, region)

    def ends(self) -> datetime | None:
        return None

    def _client(self, service: str, region: str) -> Any:
        if (service, region) not in self._clients:
            made = self._session.create_client(service, region, **KEYS)
            self._clients[service, region] = made
            self._stubs[service, region] = Stubber(made)
            self._stubs[service, region].activate()
        return self._clients[service, region]

    def stub(self, service: str, region: str = REGION) -> Stubber:
        self._client(service, region)
        return self._stubs[service, region]

    def check(self) -> None:
        for stub in self._stubs.values():
            stub.assert_no_pending_responses()


@pytest.fixture
def login() -> Iterator[Stubbed]:
    made = Stubbed()
    yield made
    made.check()


@pytest.fixture
def account(login: Stubbed) -> OnAws:
    return OnAws(login)  # type: ignore[arg-type] # as much of a login as it takes


def result(action: str, decision: str = "allowed", resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"EvalActionName": action, "EvalResourceName": resource, "EvalDecision": decision, **more}


def entry(key: str, value: str, kind: str) -> dict[str, Any]:
    return {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": kind}


VPC, SUBNET = "arn:aws:ec2:eu-south-1:1:vpc/vpc-1", "arn:aws:ec2:eu-south-1:1:subnet/subnet-1"
ASKED = (Request("ec2:CreateVpc", VPC), Request("ec2:CreateSubnet", SUBNET))


def test_a_batch_is_one_call_whose_answers_on_each_resource_are_told_apart(
    login: Stubbed, account: OnAws
) -> None:
    inside = [
        {"EvalResourceName": VPC, "EvalResourceDecision": "implicitDeny", "MissingContextValues": ["ec2:Vpc"],
         "PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}},
        {"EvalResourceName": SUBNET, "EvalResourceDecision": "allowed"},
    ]  # fmt: skip
    never = [{"SourcePolicyId": "Never", "SourcePolicyType": "IAM Policy"}]
    answers = [
        result("ec2:CreateVpc", "implicitDeny", ResourceSpecificResults=inside),
        result("ec2:CreateSubnet", "explicitDeny", SUBNET, MatchedStatements=never,
               OrganizationsDecisionDetail={"AllowedByOrganizations": False}),
    ]  # fmt: skip
    question = {
        "PolicySourceArn": ROLE,
        "ActionNames": ["ec2:CreateSubnet", "ec2:CreateVpc"],
        "ResourceArns": [SUBNET, VPC],
        "ContextEntries": [
            entry("aws:CalledVia", "x", "stringList"),
            entry("aws:RequestedRegion", REGION, "string"),
            entry("aws:SecureTransport", "true", "boolean"),
        ],
        "MaxItems": 1000,
    }  # fmt: skip
    stub = login.stub("iam")
    first = {"EvaluationResults": answers[:1], "IsTruncated": True, "Marker": "more"}
    stub.add_response("simulate_principal_policy", first, question)
    stub.add_response(
        "simulate_principal_policy", {"EvaluationResults": answers[1:]}, {**question, "Marker": "more"}
    )
    context = {"aws:CalledVia": ("x",), "aws:RequestedRegion": (REGION,), "aws:SecureTransport": ("true",)}

    assert account.simulate(ROLE, ASKED, context) == (
        Decision("ec2:CreateVpc", VPC, allowed=False, boundary=False, missing=("ec2:Vpc",)),
        Decision(
            "ec2:CreateSubnet", SUBNET, allowed=False, explicit=True, organization=False, policies=("Never",)
        ),
    )


def test_an_answer_for_every_resource_counts_and_a_missing_one_is_no_permission(
    login: Stubbed, account: OnAws
) -> None:
    stub = login.stub("iam")
    stub.add_response("simulate_principal_policy", {"EvaluationResults": [result("ec2:CreateVpc")]})
    stub.add_response("simulate_principal_policy", {"EvaluationResults": [result("ec2:CreateVpc")]})

    assert account.simulate(ROLE, ASKED[:1], {}) == (Decision("ec2:CreateVpc", VPC, allowed=True),)
    with pytest.raises(CloudError, match="no answer for ec2:CreateSubnet"):
        account.simulate(ROLE, ASKED, {})


def test_who_may_not_simulate_is_told_which_permission_is_missing(login: Stubbed, account: OnAws) -> None:
    login.stub("iam").add_client_error("simulate_principal_policy", "AccessDenied", "no")

    with pytest.raises(NotAllowed, match="grant the permission iam:SimulatePrincipalPolicy"):
        account.simulate(ROLE, ASKED, {})


def test_a_role_is_found_with_its_path(login: Stubbed, account: OnAws) -> None:
    role = {"Path": "/team/", "RoleName": "Deployer", "RoleId": "AROA0123456789ABCDEF", "Arn": ROLE,
            "CreateDate": datetime.now(UTC)}  # fmt: skip
    login.stub("iam").add_response("get_role", {"Role": role}, {"RoleName": "Deployer"})
    login.stub("iam").add_client_error("get_role", "NoSuchEntity", "The role cannot be found.")

    assert account.role_arn("Deployer") == ROLE
    assert account.role_arn("Nobody") is None


@pytest.mark.parametrize(
    ("answer", "status"),
    [([{"RegionName": REGION, "OptInStatus": "not-opted-in"}], "not-opted-in"), ([], None)],
)
def test_a_region_is_looked_up_in_one_that_every_account_has(
    login: Stubbed, account: OnAws, answer: list[Any], status: str | None
) -> None:
    question = {"AllRegions": True, "RegionNames": [REGION]}
    login.stub("ec2", "us-east-1").add_response("describe_regions", {"Regions": answer}, question)
    who = {"UserId": "x", "Account": "123456789012", "Arn": ROLE}
    login.stub("sts", "us-east-1").add_response("get_caller_identity", who)

    assert account.region_status() == status
    assert account.identity().arn == ROLE


def test_a_region_that_aws_does_not_have_is_none(login: Stubbed, account: OnAws) -> None:
    login.stub("ec2", "us-east-1").add_client_error(
        "describe_regions", "InvalidParameterValue", "Invalid region"
    )

    assert account.region_status() is None


def test_services_are_looked_up_ten_at_a_time(login: Stubbed, account: OnAws) -> None:
    services = [f"s{number:02}" for number in range(12)]
    name = f"/aws/service/global-infrastructure/regions/{REGION}/services/{{}}".format
    stub = login.stub("ssm")
    for asked in (services[:10], services[10:]):
        there = [{"Name": name(one), "Value": one} for one in asked if one != "s11"]
        question = {"Names": [name(one) for one in asked]}
        stub.add_response("get_parameters", {"Parameters": there}, question)

    assert account.offered(services) == set(services) - {"s11"}


METRIC = {
    "MetricNamespace": "AWS/Usage",
    "MetricName": "ResourceCount",
    "MetricDimensions": {"Service": "Fargate", "Resource": "OnDemand"},
    "MetricStatisticRecommendation": "Maximum",
}


def test_a_quota_comes_with_what_counts_it(login: Stubbed, account: OnAws) -> None:
    which = {"ServiceCode": "fargate", "QuotaCode": "L-3032A538"}
    stub = login.stub("service-quotas")
    stub.add_response("get_service_quota", {"Quota": {"Value": 12.0, "UsageMetric": METRIC}}, which)
    stub.add_client_error("get_service_quota", "NoSuchResourceException", "none")

    limit = account.limit("fargate", "L-3032A538")

    counts = Metric("AWS/Usage", "ResourceCount", {"Service": "Fargate", "Resource": "OnDemand"})
    assert limit == Limit(12.0, counts)
    assert account.limit("fargate", "L-3032A538") is None


@pytest.mark.parametrize(("values", "used"), [([3.0, 9.0], 3.0), ([], None)])
def test_the_newest_value_of_a_metric_counts(
    login: Stubbed, account: OnAws, values: list[float], used: float | None
) -> None:
    metric = Metric("AWS/Usage", "ResourceCount", {"Service": "Fargate"})
    expected = {"MetricDataQueries": ANY, "StartTime": ANY, "EndTime": ANY, "ScanBy": "TimestampDescending"}
    answer = {"MetricDataResults": [{"Id": "used", "Values": values}]}
    login.stub("cloudwatch").add_response("get_metric_data", answer, expected)

    assert account.used("metric", metric) == used
    assert account.used("metric", None) is None


def test_lists_are_counted_to_their_end(login: Stubbed, account: OnAws) -> None:
    balancer = {"LoadBalancerName": "a"}
    stub = login.stub("elbv2")
    stub.add_response("describe_load_balancers", {"LoadBalancers": [balancer] * 2, "NextMarker": "m"}, {})
    stub.add_response("describe_load_balancers", {"LoadBalancers": [balancer]}, {"Marker": "m"})

    assert account.used("load balancers", None) == 3


def test_services_tell_their_own_quotas(login: Stubbed, account: OnAws) -> None:
    quota = {"AccountQuotaName": "DBInstances", "Used": 3, "Max": 40}
    login.stub("rds").add_response("describe_account_attributes", {"AccountQuotas": [quota]})
    summary = {"SummaryMap": {"Roles": 7, "RolesQuota": 1000, "MFADevices": 1}}
    login.stub("iam").add_response("get_account_summary", summary)

    assert account.database_limits() == {"DBInstances": (3, 40)}
    assert account.role_limits() == {"Roles": (7, 1000)}


@pytest.mark.parametrize("sold", [True, False])
def test_a_class_is_sold_where_it_is_listed(login: Stubbed, account: OnAws, *, sold: bool) -> None:
    question = {"Engine": "postgres", "DBInstanceClass": "db.t3.micro", "EngineVersion": "15.15"}
    answer = {"OrderableDBInstanceOptions": [{"Engine": "postgres"}] if sold else []}
    login.stub("rds").add_response("describe_orderable_db_instance_options", answer, question)

    assert account.orderable("postgres", "15.15", "db.t3.micro") is sold


def test_a_snapshot_is_there_when_it_can_be_restored(login: Stubbed, account: OnAws) -> None:
    stub = login.stub("rds")
    stub.add_response(
        "describe_db_snapshots", {"DBSnapshots": [{"Status": "available"}]}, {"DBSnapshotIdentifier": "a"}
    )
    stub.add_response(
        "describe_db_snapshots", {"DBSnapshots": [{"Status": "creating"}]}, {"DBSnapshotIdentifier": "b"}
    )
    stub.add_client_error("describe_db_cluster_snapshots", "DBClusterSnapshotNotFoundFault", "none")
    stub.add_client_error("describe_db_snapshots", "InvalidParameterValue", "not a name")

    assert account.snapshot("a", cluster=False)
    assert not account.snapshot("b", cluster=False)
    assert not account.snapshot("c", cluster=True)
    with pytest.raises(CloudError, match="not a name"):
        account.snapshot("-", cluster=False)


@pytest.mark.parametrize(
    ("settings", "long"),
    [([{"name": "serviceLongArnFormat", "value": "disabled"}], False),
     ([{"name": "serviceLongArnFormat", "value": "enabled"}], True), ([], None)],
)  # fmt: skip
def test_ecs_says_which_arns_services_get(
    login: Stubbed, account: OnAws, settings: list[Any], *, long: bool | None
) -> None:
    question = {"name": "serviceLongArnFormat", "effectiveSettings": True}
    login.stub("ecs").add_response("list_account_settings", {"settings": settings}, question)

    assert account.long_arns() is long


def test_only_credentials_that_nothing_renews_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "example")

    assert log_in("us-east-1").ends() is None
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", ends.isoformat())
    assert log_in("us-east-1").ends() == ends
