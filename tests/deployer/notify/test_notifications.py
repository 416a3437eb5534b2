"""Notifications: their forms, to whom they go, and what becomes of one that cannot be sent."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from deployer.errors import CloudError
from deployer.notify.messages import Notice, body
from deployer.notify.sending import send
from generator.manifest import Notified
from tests.deployer.notify.webhooks import Webhook
from tests.serving import serving

SECRET = "AKIAEXAMPLE-0123456789abcdefghij"
NASTY = f"<!channel> <https://evil|ok> [x](y) *b*\x1b[2J\nAuthorization: Bearer {SECRET} " + "x" * 5000
NOTICE = Notice("failure", "dev", "litellm", "us-east-1", NASTY, "https://dev.azure.com/acme/run=7")
ALL = Notified("webhook", "hook", ("failure",))


@pytest.fixture
def hook() -> Iterator[tuple[Webhook, str]]:
    webhook = Webhook()
    with serving(webhook) as url:
        yield webhook, f"{url}/services/T0/very-secret-part-of-the-address"


def told(url: str | None, *channels: Notified) -> list[str]:
    return list(send(NOTICE, channels or (ALL,), "/dev-litellm", lambda _: url, lambda _: None))


@pytest.mark.parametrize("where", ["slack", "teams", "webhook"])
def test_whatever_aws_says_is_text_short_and_without_secrets(where: str) -> None:
    text = json.dumps(body(NOTICE, where))

    assert SECRET not in text
    assert "\\u001b" not in text
    assert len(text) < 6000
    assert "https://dev.azure.com/acme/run=7" in text


def test_slack_takes_nothing_of_it_for_a_mention_or_a_link() -> None:
    message = body(NOTICE, "slack")
    (section,) = message["blocks"]

    assert message["text"] == "dev (litellm, us-east-1): deployment failed"
    assert section["text"]["text"].startswith(f"*{message['text']}*\n&lt;!channel&gt; &lt;https")
    assert section["text"]["text"].endswith("<https://dev.azure.com/acme/run=7|run>")
    assert len(section["text"]["text"]) <= 3000


def test_teams_gets_an_adaptive_card() -> None:
    (attachment,) = body(NOTICE, "teams")["attachments"]
    card = attachment["content"]

    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert (card["type"], [one["type"] for one in card["body"]]) == ("AdaptiveCard", ["TextBlock"] * 2)
    assert "\\[x\\](y)" in card["body"][1]["text"]
    assert card["actions"][0]["url"] == NOTICE.run


def test_each_is_told_what_it_wants(hook: tuple[Webhook, str]) -> None:
    webhook, url = hook
    channels = [Notified("webhook", "a", ("failure", "begin")), Notified("slack", "b", ("begin",))]

    assert told(url, *channels) == []
    assert [one["occasion"] for one in webhook.got] == ["failure"]


def test_a_busy_webhook_is_asked_once_more_and_a_lost_one_is_a_sentence(hook: tuple[Webhook, str]) -> None:
    webhook, url = hook
    webhook.answers = ["503 Unavailable"]
    assert told(url) == []

    webhook.answers = ["503 Unavailable"] * 2
    assert told(url) == [
        "the notification of failure to webhook (/dev-litellm/hook) was not sent: the webhook answers 503"
    ]
    assert len(webhook.got) == 4


def test_no_redirect_is_followed(hook: tuple[Webhook, str]) -> None:
    webhook, url = hook
    webhook.answers = ["302 Found"]

    (problem,) = told(url)
    assert problem.endswith("the webhook answers 302")
    assert len(webhook.got) == 1


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (None, "no such SSM parameter: put the webhook's URL there as a SecureString"),
        (" ", "no such SSM parameter"),
        ("http://hooks.slack.com/services/very-secret-part", "does not hold an https:// URL"),
        ("https://[", "does not hold an https:// URL"),
        ("http://127.0.0.1:1/very-secret-part", "no answer"),
    ],
)
def test_what_cannot_be_sent_is_one_sentence_without_the_address(url: str | None, words: str) -> None:
    (problem,) = told(url)

    assert words in problem
    assert "very-secret" not in problem


def test_a_parameter_that_may_not_be_read_is_one_too() -> None:
    def refuse(_: str) -> str:
        raise CloudError("not authorized to perform ssm:GetParameter")

    (problem,) = send(NOTICE, (ALL,), "/dev-litellm", refuse, lambda _: None)
    assert "not authorized to perform ssm:GetParameter" in problem
