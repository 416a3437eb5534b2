"""What is said of a database and a cache that are there already, before anything is touched."""

from dataclasses import replace
from typing import Any

import pytest

from deployer.checks.facts import Facts, Inbound, Secret, Server
from deployer.checks.stores import store_problems
from generator.manifest import Existing, ExistingStore

HOST = "payments.abc.us-east-1.rds.amazonaws.com"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shared/db-AbCdEf"
KEY = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012"
STORE = ExistingStore("database.existing", HOST, 5432, "10.0.0.0/16", SECRET, ("password", "username"))
SERVER = Server(
    "database payments",
    "postgres",
    "available",
    5432,
    "vpc-1",
    ("sg-1",),
    (Inbound(5432, 5432, ("10.0.0.0/16",)),),
)
GOOD = Secret(None, ("username", "password", "host"))


def said(
    server: Server | None = SERVER, secret: Secret | None = GOOD, **store: Any
) -> list[tuple[str, bool]]:
    wanted = Existing(vpc_id="vpc-1", stores=(replace(STORE, **store),))
    servers = {HOST: server} if server else {}
    facts = Facts("us-east-1", servers=servers, secrets={SECRET: secret} if secret else {})
    return [(str(one), one.refused) for one in store_problems(wanted, facts)]


def test_a_database_that_fits_is_passed_over_in_silence() -> None:
    assert said() == []
    assert said(replace(SERVER, status="backing-up")) == []
    assert said(secret=replace(GOOD, kms_key_arn=KEY), kms_key_arn=KEY) == []
    assert said(secret=replace(GOOD, keys=None)) == []


@pytest.mark.parametrize(
    "rule",
    [
        Inbound(0, 65_535, ("0.0.0.0/0",)),
        Inbound(5000, 6000, ("10.0.11.0/24",)),
        Inbound(5432, 5432, groups=("sg-clients",)),
    ],
)
def test_each_rule_that_may_let_tasks_in_is_enough(rule: Inbound) -> None:
    assert said(replace(SERVER, inbound=(Inbound(22, 22, ("0.0.0.0/0",)), rule))) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"engine": "mysql"}, "host: database payments is mysql; name one of PostgreSQL"),
        ({"status": "stopped"}, "host: database payments is stopped; start it, or name another one"),
        ({"port": 6432}, "port: database payments listens on 6432; write 6432"),
        (
            {"inbound": (Inbound(5432, 5432, ("192.168.0.0/16",)), Inbound(443, 443, ("10.0.0.0/16",)))},
            (
                "host: no security group of database payments lets 10.0.0.0/16 in on port 5432; "
                "add an inbound rule to sg-1 for that range"
            ),
        ),
    ],
)
def test_a_server_that_tasks_could_not_use_is_refused(change: dict[str, Any], words: str) -> None:
    assert said(replace(SERVER, **change)) == [(f"database.existing.{words}", True)]


def test_a_server_of_another_vpc_or_account_is_told_and_not_refused() -> None:
    (elsewhere,) = said(replace(SERVER, vpc_id="vpc-2"))
    (unknown,) = said(None)

    assert elsewhere == (
        (
            "database.existing.host: database payments is in vpc-2, and the tasks are in vpc-1: "
            "it needs a peering or a transit gateway"
        ),
        False,
    )
    assert unknown[0].endswith(
        f"no server of this account in us-east-1 has the endpoint {HOST}, so it was not checked"
    )
    assert not unknown[1]
    assert said(None, host="db.internal.example.com") == []


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        (
            None,
            f"secret_arn: there is no secret {SECRET} for these credentials; correct the ARN or the login",
        ),
        (
            replace(GOOD, deleted=True),
            f"secret_arn: {SECRET} is scheduled for deletion; restore it, or name another one",
        ),
        (replace(GOOD, keys=("username",)), "secret_arn: the secret has no password; add it to its JSON"),
        (
            replace(GOOD, keys=()),
            "secret_arn: the secret has no password and no username; add it to its JSON",
        ),
        (
            replace(GOOD, kms_key_arn=KEY),
            (
                f"kms_key_arn: the secret is encrypted with {KEY}, which the tasks' role may not use; "
                f"write kms_key_arn: {KEY}"
            ),
        ),
    ],
)
def test_a_secret_that_tasks_could_not_read_is_refused(secret: Secret | None, words: str) -> None:
    assert said(secret=secret) == [(f"database.existing.{words}", True)]


def test_nothing_is_concluded_from_what_could_not_be_asked() -> None:
    wanted = Existing(vpc_id="vpc-1", stores=(STORE,))
    facts = Facts("us-east-1", unknown={"servers": "no", "secrets": "no", "names": "no"})

    assert list(store_problems(wanted, facts)) == []


def test_a_name_that_the_vpcs_own_zone_does_not_have_is_refused() -> None:
    store = replace(STORE, host="db.internal.example.com", secret_arn=None)
    facts = Facts("us-east-1", names={"db.internal.example.com": "internal.example.com"})

    (problem,) = store_problems(Existing(vpc_id="vpc-1", stores=(store,)), facts)

    assert str(problem) == (
        "database.existing.host: internal.example.com, the private hosted zone of vpc-1, has no record "
        "db.internal.example.com; add it there, or correct the name"
    )
