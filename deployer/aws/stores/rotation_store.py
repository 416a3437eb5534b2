"""Rotations through Secrets Manager and CloudWatch Logs; implements `deployer.day2.rotation.Rotations`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from deployer.aws.endpoint import ask
from deployer.aws.sign_in.login import Clients
from deployer.day2 import rotation_log
from deployer.day2.rotation import PENDING, Record, RotatedSecret
from deployer.errors import CloudError

PAGES = 10
"""Pages of log events read per poll: FilterLogEvents may return many empty ones."""
SKEW_SECONDS = 60.0
"""How far this machine's clock may be ahead of AWS's."""
UNDER_WAY = re.compile(r"previous rotation .*(complete|progress)", re.IGNORECASE)
"""
RotateSecret's InvalidRequestException has one code for all reasons; this text means a rotation in progress.
"""


class RotationStore:
    """The rotations of one account and region; *since*: seconds of Unix time from which logs are read."""

    def __init__(self, clients: Clients, *, since: float) -> None:
        self._clients = clients
        self._since = since
        self._skipped: frozenset[str] = frozenset()
        """Ids of log events."""

    def look(self, secret: str) -> RotatedSecret | None:
        """Return the secret without its value; None when there is none."""
        try:
            answer = self._ask("secretsmanager", "describe_secret", SecretId=secret)
        except CloudError as error:
            if error.code == "ResourceNotFoundException":
                return None
            raise
        stages = answer.get("VersionIdsToStages") or {}
        return RotatedSecret(
            name=answer["Name"],
            function=answer.get("RotationLambdaARN", ""),
            enabled=bool(answer.get("RotationEnabled")),
            stages={version: frozenset(labels) for version, labels in stages.items()},
            next_rotation=answer.get("NextRotationDate"),
        )

    def start(self, secret: str, token: str) -> str | None:
        """Start a rotation and return its version; None where one is in progress already."""
        try:
            answer = self._ask("secretsmanager", "rotate_secret", SecretId=secret, ClientRequestToken=token)
        except CloudError as error:
            if error.code == "InvalidRequestException" and UNDER_WAY.search(str(error)):
                return None
            raise
        return str(answer["VersionId"])

    def pending_since(self, secret: str) -> datetime | None:
        """Return when the pending version was created; None if unknown."""
        answer = self._ask("secretsmanager", "list_secret_version_ids", SecretId=secret)
        versions = answer.get("Versions", ())
        return next(
            (one.get("CreatedDate") for one in versions if PENDING in one.get("VersionStages", ())), None
        )

    def skip(self, function: str) -> None:
        """Leave out of `records` what the function has written up to now: it is about earlier attempts."""
        self._skipped = frozenset(event.get("eventId", "") for event in self._events(function))

    def records(self, function: str, version: str) -> tuple[Record, ...]:
        """Return what the function wrote about the rotation to *version* since then, oldest first."""
        events = self._events(function, filterPattern=rotation_log.pattern(version))
        fresh = (event for event in events if event.get("eventId") not in self._skipped)
        ordered = sorted(fresh, key=lambda event: event.get("timestamp", 0))
        return rotation_log.read((event.get("message", "") for event in ordered), version)

    def _events(self, function: str, **which: str) -> Iterator[Mapping[str, Any]]:
        group = f"/aws/lambda/{function.rpartition(':function:')[2].partition(':')[0]}"
        start = int(max(self._since - SKEW_SECONDS, 0) * 1000)
        wanted: dict[str, Any] = {"logGroupName": group, "startTime": start, **which}
        for _ in range(PAGES):
            try:
                page = self._ask("logs", "filter_log_events", **wanted)
            except CloudError as error:
                if error.code == "ResourceNotFoundException":
                    return  # nothing was ever written
                raise
            yield from page.get("events", ())
            if not page.get("nextToken"):
                return
            wanted["nextToken"] = page["nextToken"]

    def _ask(self, service: str, method: str, **parameters: Any) -> Any:
        return ask(self._clients(service), method, **parameters)
