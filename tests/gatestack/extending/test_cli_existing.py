"""The commands in an account with a VPC of the company's: refused untouched, or up and down again."""

import json

import pytest

from sandbox.server import Sandbox
from tests.command import User
from tests.deployer.checks.existing_vpc import ARN, Company, company
from tests.sandbox.sandbox_account import client

WRONG = "subnet-0123456789abcdef0"
CHANGES = {"CreateChangeSet", "ExecuteChangeSet", "CreateStack", "DeleteStack"}


@pytest.fixture
def vpc(sandbox: Sandbox) -> Company:
    return company(client(sandbox, "ec2"))


def write(user: User, name: str, text: str) -> None:
    (user.folder / "environments" / f"{name}.yaml").write_text(text)


def untouched(sandbox: Sandbox) -> bool:
    return not {call.action for call in sandbox.calls} & CHANGES


def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_touched(
    user: User, sandbox: Sandbox, vpc: Company
) -> None:
    zone = client(sandbox, "route53").create_hosted_zone(Name="example.org", CallerReference="1")
    zone_id = zone["HostedZone"]["Id"].rsplit("/", 1)[-1]
    alb = f"{{certificate_arn: '{ARN}', domain_name: llm.example.com, hosted_zone_id: {zone_id}}}"
    write(
        user,
        "mine",
        vpc.file("mine", private=f"[{vpc.private[0]}, {WRONG}]", vpc_cidr="10.8.0.0/16", alb=alb),
    )

    for command in (["plan", "mine"], ["deploy", "mine", "--yes"]):
        done = user.run(*command)

        assert done.code == 2
        head, *problems = done.err.splitlines()[-6:]
        assert head == "error: mine has unmet prerequisites, 5 problems; nothing was changed:"
        told = [tuple(problem.strip().split(": ", 1)) for problem in problems]
        subnets = "network.existing_vpc.private_subnet_ids"
        assert [key for key, _ in told] == [
            "network.vpc_cidr",
            subnets,
            subnets,
            "alb.certificate_arn",
            "alb.hosted_zone_id",
        ]
        assert told[0][1] == f"10.8.0.0/16 is not in {vpc.vpc}, which has 10.9.0.0/16; write 10.9.0.0/16"
        assert told[1][1] == f"there is no subnet {WRONG} in us-east-1; correct the id"
        assert told[2][1].startswith(
            f"{vpc.private[0]} (10.9.11.0/24) is outside network.vpc_cidr, 10.8.0.0/16"
        )
        assert told[3][1].startswith(f"there is no certificate {ARN} in this account and region; correct the")
        assert told[4][1].startswith(
            f"llm.example.com of alb.domain_name is not in example.org, the zone {zone_id}"
        )
    assert untouched(sandbox)


def test_an_environment_in_an_existing_vpc_goes_up_is_left_alone_and_goes_again(
    user: User, sandbox: Sandbox, vpc: Company
) -> None:
    alb = "{domain_name: llm.example.com, hosted_zone_id: Z0123456789ABCDEFGHIJ}"
    write(user, "mine", vpc.file("mine", alb=alb))

    first = user.run("deploy", "mine", "--yes")
    assert first.code == 0, first.err
    again = user.run("deploy", "mine", "--yes", "--format", "json")
    assert {stack["action"] for stack in json.loads(again.out)["stacks"]} == {"none"}, again.err
    assert "network." not in again.err
    outputs = json.loads(user.run("outputs", "mine", "--format", "json").out)["outputs"]["network"]
    assert (outputs["VpcId"], outputs["DataSubnet2Id"]) == (vpc.vpc, vpc.data[1])

    gone = user.run("destroy", "mine", "--yes")
    assert gone.code == 0, gone.err
    ec2 = client(sandbox, "ec2")
    left = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc.vpc]}])["Subnets"]
    assert {one["SubnetId"] for one in left} == {*vpc.public, *vpc.private, *vpc.data}


def test_another_environment_in_the_same_vpc_has_no_room_for_its_endpoints(
    user: User, sandbox: Sandbox, vpc: Company
) -> None:
    write(user, "mine", vpc.file("mine"))
    write(user, "other", vpc.file("other"))
    assert user.run("deploy", "mine", "--yes", "--only", "network").code == 0
    sandbox.calls.clear()

    refused = user.run("deploy", "other", "--yes", "--only", "network")

    assert refused.code == 2
    assert "error: network.vpc_endpoints: " in refused.err
    assert " of mine-litellm)" in refused.err
    assert untouched(sandbox)
    write(user, "other", vpc.file("other", vpc_endpoints="false"))
    assert user.run("deploy", "other", "--yes", "--only", "network").code == 0


def test_a_reviewed_folder_and_a_saved_plan_are_checked_again(
    user: User, sandbox: Sandbox, vpc: Company
) -> None:
    write(user, "mine", vpc.file("mine"))
    assert user.run("generate", "mine", "--out", "reviewed").code == 0
    planned = user.run("plan", "reviewed", "--only", "network", "--save", "plan.json")
    assert planned.code == 0, planned.err
    client(sandbox, "ec2").delete_subnet(SubnetId=vpc.data[1])
    sandbox.calls.clear()

    for command in (["deploy", "reviewed", "--yes"], ["deploy", "reviewed", "--plan", "plan.json"]):
        done = user.run(*command)

        problem = f"data_subnet_ids: there is no subnet {vpc.data[1]} in us-east-1; correct the id"
        assert (done.code, problem in done.err) == (2, True), done.err
    assert untouched(sandbox)


def test_a_record_of_somebody_else_is_refused_and_our_own_is_not(user: User, sandbox: Sandbox) -> None:
    alb = "alb: {domain_name: llm.example.com, hosted_zone_id: Z0123456789ABCDEFGHIJ}"
    write(user, "mine", f"system: litellm\nenvironment: mine\n{alb}\n")
    route53 = client(sandbox, "route53")

    def change(action: str) -> None:
        record = {
            "Name": "llm.example.com",
            "Type": "A",
            "TTL": 60,
            "ResourceRecords": [{"Value": "10.0.0.1"}],
        }
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        route53.change_resource_record_sets(HostedZoneId="Z0123456789ABCDEFGHIJ", ChangeBatch=batch)

    change("CREATE")
    sandbox.calls.clear()
    refused = user.run("deploy", "mine", "--yes")
    assert "alb.domain_name: llm.example.com is in Z0123456789ABCDEFGHIJ already (A 10.0.0.1)" in refused.err
    assert (refused.code, untouched(sandbox)) == (2, True)
    alone = user.run("deploy", "mine", "--yes", "--only", "network")
    assert alone.code == 0, alone.err

    change("DELETE")
    assert user.run("deploy", "mine", "--yes", "--only", "alb").code == 0
    assert user.run("plan", "mine", "--only", "alb", "--detailed-exitcode").code == 0


def test_warnings_are_notes_of_a_plan_and_lines_of_a_deployment(
    user: User, sandbox: Sandbox, vpc: Company
) -> None:
    ec2 = client(sandbox, "ec2")
    endpoints = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [vpc.vpc]}])["VpcEndpoints"]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[one["VpcEndpointId"] for one in endpoints])
    write(user, "mine", vpc.file("mine"))
    text = f"network.existing_vpc.vpc_id: no gateway endpoint of S3 in {vpc.private_table}"

    assert f"note: {text}" in user.run("plan", "mine", "--only", "network").out
    assert f"warning: {text}" in user.run("deploy", "mine", "--yes", "--only", "network").err
