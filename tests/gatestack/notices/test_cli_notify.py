"""`deployment.notify` in commands: what is told when, and that nothing of it stops a deployment."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from sandbox.server import Sandbox
from tests.command import CREDENTIALS, OTHER_DATABASE, User
from tests.deployer.notify.webhooks import Webhook
from tests.serving import serving

NAME = "/local-litellm/hook"
KEY = """
deployment:
  notify:
    - where: webhook
      secret: hook
      events: [begin, approval, failure, drift, success]
observability:
  log_retention_days: {days}
"""

Told = tuple[User, Webhook]


@pytest.fixture
def told(deployed: User, account: Sandbox) -> Iterator[Told]:
    """A user whose environment has a webhook, and changes with each call of `change`."""
    webhook = Webhook()
    ssm = boto3.client("ssm", "us-east-1", endpoint_url=account.endpoint, **CREDENTIALS)
    with serving(webhook) as url:
        ssm.put_parameter(Name=NAME, Value=f"{url}/very-secret", Type="SecureString", Overwrite=True)
        yield deployed, webhook
    if ssm.get_parameters(Names=[NAME])["Parameters"]:
        ssm.delete_parameter(Name=NAME)


def change(user: User, days: int) -> None:
    with (user.folder / "environments" / "local.yaml").open("a") as file:
        file.write(KEY.format(days=days))


def occasions(webhook: Webhook) -> list[str]:
    return [one["occasion"] for one in webhook.got]


def test_a_deployment_is_told_from_its_plan_to_its_end(told: Told) -> None:
    user, webhook = told
    change(user, 3)
    planned = user.run("plan", "local", "--only", "service", "--save", "saved.plan")
    done = user.run("deploy", "local", "--plan", "saved.plan")

    assert (planned.code, done.code) == (0, 0), planned.err + done.err
    assert occasions(webhook) == ["approval", "begin", "success"]
    assert "very-secret" not in planned.err + done.err + done.out


def test_a_deployment_begins_with_its_first_change_and_not_where_it_is_refused_before(told: Told) -> None:
    user, webhook = told
    change(user, 14)
    assert user.run("deploy", "local", "--yes", "--only", "service").code == 0
    webhook.got.clear()
    assert user.run("deploy", "local", "--yes", "--only", "service").code == 0
    assert occasions(webhook) == ["success"], "nothing changed"
    webhook.got.clear()
    user.edit("local", "tier: dev", f"tier: dev\n{OTHER_DATABASE}")

    refused = user.run("deploy", "local", "--yes", "--only", "database")

    assert refused.code == 4, refused.err
    assert occasions(webhook) == ["failure"]
    assert "which holds data" in webhook.got[0]["text"]


def test_a_failure_is_told_with_its_cause_by_a_folder_as_well(told: Told, account: Sandbox) -> None:
    user, webhook = told
    change(user, 5)
    assert user.run("generate", "local", "--out", "built").code == 0
    reason = "no room for logs"
    account.faults.add({"resources": [{"logical_id": "TaskLog", "operation": "update", "reason": reason}]})
    done = user.run("deploy", "built", "--yes", "--only", "service")

    assert done.code == 1
    assert occasions(webhook) == ["begin", "failure"]
    assert reason in webhook.got[1]["text"]


def test_a_notification_that_fails_is_a_warning_and_the_deployment_goes_on(
    told: Told, account: Sandbox
) -> None:
    user, _ = told
    change(user, 7)
    ssm = boto3.client("ssm", "us-east-1", endpoint_url=account.endpoint, **CREDENTIALS)
    ssm.delete_parameter(Name=NAME)
    done = user.run("deploy", "local", "--yes", "--only", "service")

    assert done.code == 0, done.err
    warnings = [line for line in done.err.splitlines() if "was not sent" in line]
    assert [line.split(" to ")[0] for line in warnings] == [
        "warning: the notification of begin",
        "warning: the notification of success",
    ]


def test_drift_is_told_with_the_stacks(told: Told, account: Sandbox) -> None:
    user, webhook = told
    change(user, 7)
    logs = boto3.client("logs", "us-east-1", endpoint_url=account.endpoint, **CREDENTIALS)
    logs.put_retention_policy(logGroupName="/ecs/local-litellm-proxy", retentionInDays=90)
    done = user.run("drift", "local")

    assert done.code == 3, done.err
    assert occasions(webhook) == ["drift"]
    assert webhook.got[0]["text"] == "service: gatestack drift local"
