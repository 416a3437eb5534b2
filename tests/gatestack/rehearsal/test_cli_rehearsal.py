"""`local fail|slow|throttle|lose|expire|drift|reset` as a user runs them, and what a run says of it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.command import User
from tests.gatestack.rehearsal.own_sandbox import started


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    with started(tmp_path_factory.mktemp("rehearsal")) as made:
        yield made


@pytest.fixture
def user(running: User) -> Iterator[User]:
    yield running
    running.run("local", "reset")


def faults(user: User) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(user.run("local", "status", "--format", "json").out)["faults"]
    return found


def deploy(user: User) -> tuple[int, str]:
    done = user.run("deploy", "local", "--yes", "--only", "security")
    return done.code, done.err


def test_a_resource_fails_as_told_once_and_the_next_run_goes_through(user: User) -> None:
    done = user.run("local", "fail", "security", "TaskRole", "--on", "create", "--reason", "Not tonight")
    line = "fail: TaskRole of local-litellm-security, at its next create: Not tonight"
    assert (done.code, done.err) == (0, f"{line}\n")
    assert user.run("local", "status").out.splitlines()[-1] == line

    code, said = deploy(user)
    assert (code, "Not tonight" in said) == (1, True), said
    assert faults(user) == []
    code, said = deploy(user)
    assert code == 0, said


def test_a_login_that_expires_is_told_and_reset_is_the_new_login(user: User) -> None:
    assert user.run("local", "expire").code == 0
    code, said = deploy(user)
    assert (code, "expired: log in again" in said) == (2, True), said
    done = user.run("local", "reset")
    assert done.err == "off: expire: the login has expired: every API call is refused\n"
    assert deploy(user)[0] == 0


def test_throttled_calls_and_lost_answers_do_not_stop_a_run(user: User) -> None:
    assert user.run("local", "throttle", "20").code == 0
    assert user.run("local", "lose", "5").code == 0
    assert [one["kind"] for one in faults(user)] == ["throttle", "lose"]
    assert user.run("local", "slow", "local-litellm-security", "Key", "30", "--times", "2").code == 0
    assert faults(user)[2]["text"] == (
        "Key of local-litellm-security, at its next operations, 2 times: 30 sandbox minutes longer"
    )
    code, said = deploy(user)
    assert code == 0, said
    user.run("local", "throttle", "0")
    assert [one["kind"] for one in faults(user)] == ["lose", "slow"]


def test_what_is_changed_by_hand_is_what_drift_finds(user: User) -> None:
    assert deploy(user)[0] == 0
    done = user.run("local", "drift", "security", "ApiKeysSecret", "/Description", "mine")
    assert done.code == 0, done.err
    found = user.run("drift", "local")
    assert (found.code, "mine" in found.out + found.err) == (3, True), found


def test_a_quota_is_told_by_preflight_and_refused_at_its_moment(user: User) -> None:
    done = user.run("local", "quota", "L-0263D0A3", "0")
    assert (done.code, done.out) == (0, "elastic-ips           L-0263D0A3  0 (default: 5)\n")
    assert faults(user) == [{"kind": "quota", "text": "elastic-ips is 0 (default: 5)"}]
    before = user.run("preflight", "local")
    assert "quota Elastic IP addresses" in before.out, before.out
    assert "needs 1; 0 of 0 are taken" in before.out

    done = user.run("deploy", "local", "--yes", "--only", "network")
    assert (done.code, "The maximum number of addresses has been reached." in done.err) == (1, True), done.err
    assert "ask for a higher quota (Service Quotas)" in done.err
    assert user.run("local", "reset").err == "off: quota: elastic-ips is 0 (default: 5)\n"
    listed = user.run("local", "quota").out
    assert "elastic-ips           L-0263D0A3  5\n" in listed
    assert user.run("deploy", "local", "--yes", "--only", "network").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("quota", "vpc", "1"), "there is no quota vpc: there are vpcs, internet-gateways, "),
        (("quota", "vpcs"), "`gatestack local quota vpcs VALUE`"),
        (("quota", "vpcs", "many"), "many"),
        (("fail", "databse", "Database"), "there is no stack databse; did you mean database?"),
        (("fail", "local-litellm-databas", "Database"), "did you mean local-litellm-database?"),
        (("slow", "database", "Databse", "5"), "has no resource Databse; did you mean Database?"),
        (("drift", "security", "Topic", "/A", "1"), "has no resource Topic; did you mean AlarmTopic?"),
        (("fail", "database", "Database", "--env", "nope"), "nope"),
        (("fail", "database", "Qqqqqqqq"), "has no resource Qqqqqqqq; there are "),
        (("throttle", "101"), "101"),
        (("slow", "database", "Database", "0"), "0"),
    ],
)
def test_a_wrong_name_is_refused_with_the_nearest(user: User, arguments: tuple[str, ...], said: str) -> None:
    done = user.run("local", *arguments)
    assert (done.code, said in done.err) == (2, True), done.err
    assert faults(user) == []


def test_without_a_sandbox_there_is_nothing_to_tell(tmp_path: Path) -> None:
    user = User.at(tmp_path / "here")
    for arguments in (("expire",), ("reset",), ("fail", "database", "Database")):
        done = user.run("local", *arguments)
        assert (done.code, "no sandbox runs" in done.err) == (2, True), done.err


PROD = ("--sandbox", "deploy", "prod", "--yes")


def test_any_environment_is_deployed_on_the_sandbox_whatever_account_the_file_names(user: User) -> None:
    """With credentials of an account's in the variables, and an endpoint that nobody listens at."""
    user.edit("prod", '# account: "123456789012" #', 'account: "111122223333" #')
    user.edit("prod", "domain_name: llm.example.com", "domain_name: llm.acme.io")
    user.edit("prod", "Z0123456789ABCDEFGHIJ", "Z0987654321ABCDEFGHIJ")
    aws = {
        "AWS_ACCESS_KEY_ID": "AKIAQWERTYUIOPASDFGH",
        "AWS_SECRET_ACCESS_KEY": "x" * 40,
        "AWS_PROFILE": "no",
    }
    somebody = User(user.folder, user.variables | aws | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    done = somebody.run(*PROD)
    command = "gatestack local provide zone acme.io --id Z0987654321ABCDEFGHIJ"
    assert (done.code, f"`{command}` makes it" in done.err) == (2, True), done.err

    assert somebody.run(*command.split()[1:]).out == "Z0987654321ABCDEFGHIJ\n"
    done = somebody.run(*PROD)
    assert done.code == 0, done.err
    assert "`gatestack local provide image prod-litellm:v1.108.7` puts it there" in done.err
    elsewhere = User(user.folder, somebody.variables | {"GATESTACK_SANDBOX": "1"})
    assert "CREATE_COMPLETE" in elsewhere.run("status", "prod").out
    assert json.loads(user.run("local", "status", "--format", "json").out)["environments"][-1] == "prod"

    done = elsewhere.run("image", "prod", "--tag", "v1.108.7", "--push")
    assert (done.code, "`gatestack local provide image prod-litellm:v1.108.7`" in done.err) == (2, True), (
        done.err
    )
    done = user.run("local", "provide", "image", "prod-litellm:v1.108.7")
    assert (done.code, done.err) == (0, "prod-litellm:v1.108.7 is in us-east-1\n")
    done = elsewhere.run("deploy", "prod", "--yes")
    assert (done.code, "prod: 1 stack deployed" in done.err) == (0, True), done.err
    assert elsewhere.run("destroy", "prod", "--yes", "--force").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("image", "prod-litellm"), "is no REPOSITORY:TAG"),
        (("image", "nope:v1"), "there is no repository nope"),
        (("vpc", "--cidr", "10.0.0.0/26"), "has no room for six subnets"),
        (("vpc", "--cidr", "10.0.0.0/99"), "10.0.0.0/99"),
        (("vpc", "--public", "subnet-1"), "two ids of subnets"),
        (
            ("certificate", "a.acme.io", "--arn", "arn:aws:acm"),
            "is not the ARN of a certificate in us-east-1",
        ),
    ],
)
def test_what_cannot_be_provided_is_refused(user: User, arguments: tuple[str, ...], said: str) -> None:
    done = user.run("local", "provide", *arguments)
    assert (done.code, said in done.err) == (2, True), done.err


GUEST = """
system: litellm
environment: guest
network:
  vpc_cidr: 10.9.0.0/16
  data_subnets: true
  existing_vpc:
    vpc_id: vpc-0123456789abcdef0
    public_subnet_ids: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]
    private_subnet_ids: [subnet-0123456789abcdef2, subnet-0123456789abcdef3]
    data_subnet_ids: [subnet-0123456789abcdef4, subnet-0123456789abcdef5]
alb:
  domain_name: llm.acme.org
  certificate_arn: arn:aws:acm:us-east-1:111122223333:certificate/12345678-1234-1234-1234-123456789012
"""


def test_what_an_environment_takes_for_granted_is_given_by_the_commands_of_the_refusal(user: User) -> None:
    (user.folder / "environments" / "guest.yaml").write_text(GUEST)
    command = ("--sandbox", "plan", "guest")
    refused = user.run(*command)
    assert refused.code == 2, refused.err
    commands = [shlex.split(one) for one in re.findall(r"`(gatestack local provide [^`]+)`", refused.err)]
    assert [one[3] for one in commands] == ["vpc", "certificate"], refused.err
    for one in commands:
        done = user.run(*one[1:])
        assert done.code == 0, done.err
    done = user.run(*command)
    assert done.code == 0, done.err
    assert "warning: network" not in done.err
    done = user.run(
        "--sandbox", "deploy", "guest", "--yes", "--only", "security", "--only", "network", "--only", "alb"
    )
    assert done.code == 0, done.err
    for one in commands:
        again = user.run(*one[1:])
        assert (again.code, "is there already" in again.err) == (2, True), again.err
    user.run("--sandbox", "destroy", "guest", "--yes", "--force")


def test_a_vpc_of_its_own_ids_is_printed_as_a_file_says_it(user: User) -> None:
    printed = user.run("local", "provide", "vpc", "--cidr", "10.7.0.0/22").out
    file = {"system": "litellm", "environment": "guest", **yaml.safe_load(printed)}
    file["network"]["data_subnets"] = True
    (user.folder / "environments" / "guest.yaml").write_text(yaml.safe_dump(file))
    done = user.run("--sandbox", "plan", "guest")
    assert done.code == 0, done.err
    printed = user.run("local", "provide", "certificate", "llm.acme.io", "--region", "eu-west-1").out
    assert printed.startswith("arn:aws:acm:eu-west-1:123456789012:certificate/")
