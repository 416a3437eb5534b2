"""LiteLLM's licence and its alerts: webhooks and keys are secrets, the settings that name them are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.render import render
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings

WEBHOOK = "https://hooks.slack.com/services/" + "T0AAAAAAA/B0BBBBBBB/" + "c" * 24
SECRETS = {
    "LITELLM_LICENSE": "eyJ1c2VyIjoiYWNtZSJ9.c2lnbmVk",
    "SLACK_WEBHOOK_URL": WEBHOOK,
    "MS_TEAMS_WEBHOOK_URL": "https://acme.webhook.office.com/webhookb2/1234",
    "PAGERDUTY_API_KEY": "u+0123456789",
    "SMTP_PASSWORD": "hunter2hunter2",
}
ALERTS = {
    "alerting": ["slack"],
    "alerting_threshold": 300,
    "alert_types": ["llm_exceptions", "budget_alerts"],
    "alerting_args": {"daily_report_frequency": 43200},
}


def load(**service: Any) -> Settings:
    file = {"system": "litellm", "environment": "dev", "alb": {"internal": True}, "service": service}
    return parse_settings(yaml.safe_dump(file), Path("dev.yaml"))


def general(**settings: Any) -> dict[str, Any]:
    return {"config": {"general_settings": settings}}


@pytest.mark.parametrize("name", SECRETS)
def test_in_the_environment_it_is_refused_and_the_remedy_that_is_named_works(name: str) -> None:
    with pytest.raises(EnvironmentFileError) as caught:
        load(environment={name: SECRETS[name]})

    (problem,) = caught.value.problems
    assert problem.key == f"service.environment.{name}"
    assert "goes by its name into service.secrets" in problem.message
    assert SECRETS[name] not in str(caught.value)
    manifest = render(load(secrets=[name]))
    service = next(stack for stack in manifest.stacks if stack.name == "service")
    own = json.loads(service.template)["Resources"]["ProxyTask"]["Properties"]["ContainerDefinitions"][0]
    assert name in {one["Name"] for one in own["Secrets"]}
    assert name not in {one["Name"] for one in own["Environment"]}


def test_alerts_to_slack_are_read_without_a_refusal_and_reach_litellm_as_they_stand() -> None:
    settings = load(secrets=["SLACK_WEBHOOK_URL"], **general(**ALERTS))

    told = yaml.safe_load(render(settings).files["litellm-config.yaml"])["general_settings"]
    assert ALERTS.items() <= told.items()


@pytest.mark.parametrize("webhooks", ["os.environ/SLACK_WEBHOOK_URL", ["os.environ/SLACK_WEBHOOK_URL"]])
def test_a_webhook_of_one_kind_of_alert_is_a_reference(webhooks: Any) -> None:
    own = general(**ALERTS, alert_to_webhook_url={"budget_alerts": webhooks})

    assert load(secrets=["SLACK_WEBHOOK_URL"], **own)
    with pytest.raises(EnvironmentFileError, match="nothing sets SLACK_WEBHOOK_URL in the tasks"):
        load(**own)


def test_a_webhook_in_litellms_file_itself_is_refused_without_being_repeated() -> None:
    with pytest.raises(EnvironmentFileError, match="a secret may not stand in this file") as caught:
        load(**general(**ALERTS, alert_to_webhook_url={"budget_alerts": WEBHOOK}))

    assert WEBHOOK not in str(caught.value)
