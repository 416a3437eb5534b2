"""
A notification in the format of each receiver. Pure.

Sources, read in November 2026: Slack, "Sending messages using incoming webhooks" and "Formatting text for app
surfaces" (a section's text has 3,000 characters at most); Microsoft Teams, "Create incoming webhooks with
Workflows" (a message with an Adaptive Card, 28 KB at most).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deployer.scrub import said
from generator.escapes import visible
from generator.manifest import Occasion

LONGEST_TEXT = 1500
"""Characters of what AWS says about a failure; markup makes more of some."""
TITLES: Mapping[Occasion, str] = {
    "begin": "deployment begins",
    "approval": "a plan waits for approval",
    "failure": "deployment failed",
    "drift": "resources were changed outside CloudFormation",
    "success": "deployed",
}


@dataclass(frozen=True)
class Notice:
    """A notification about an environment."""

    occasion: Occasion
    environment: str
    system: str
    region: str
    text: str
    """More about it: the first cause, the stacks that drifted."""
    run: str = ""
    """URL of the pipeline's run."""

    @property
    def title(self) -> str:
        """What has happened, in one line."""
        return f"{self.environment} ({self.system}, {self.region}): {TITLES[self.occasion]}"

    @property
    def shown(self) -> str:
        """The text without secrets and control characters, as long as it may be."""
        return visible(said(self.text, most=LONGEST_TEXT)) if self.text else ""


def body(notice: Notice, where: str) -> Mapping[str, Any]:
    """Return the JSON for *where*: slack, teams or webhook."""
    return {"slack": _slack, "teams": _teams}.get(where, _plain)(notice)


def _plain(notice: Notice) -> Mapping[str, Any]:
    return {
        "version": 1,
        "occasion": notice.occasion,
        "environment": notice.environment,
        "system": notice.system,
        "region": notice.region,
        "title": notice.title,
        "text": notice.shown,
        "run": notice.run,
    }


def _slack(notice: Notice) -> Mapping[str, Any]:
    """``&``, ``<`` and ``>`` are all that Slack takes for markup of links, mentions and channels."""
    parts = [f"*{_slack_text(notice.title)}*", _slack_text(notice.shown)]
    if notice.run:
        parts.append(f"<{_slack_text(notice.run)}|run>")
    text = "\n".join(filter(None, parts))
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text[:3000]}}
    return {"text": _slack_text(notice.title), "blocks": [section]}


def _slack_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(notice: Notice) -> Mapping[str, Any]:
    lines: list[Mapping[str, Any]] = [
        {"type": "TextBlock", "text": _card_text(notice.title), "weight": "Bolder", "wrap": True}
    ]
    if notice.shown:
        lines.append({"type": "TextBlock", "text": _card_text(notice.shown), "wrap": True})
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": lines,
    }
    if notice.run:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Run", "url": notice.run}]
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def _card_text(text: str) -> str:
    """Return *text* as a card shows it: of Markdown it knows links, emphasis and lists."""
    return "".join(f"\\{one}" if one in "\\[]*_" else one for one in text)
