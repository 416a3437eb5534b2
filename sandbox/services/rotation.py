"""
Rotation of secrets: RotateSecret and CancelRotateSecret, which run the real functions.

Source: AWS API Reference, RotateSecret, CancelRotateSecret, DescribeSecret. A failed rotation is repeated as
a whole, with the same version, a few times. Schedules are reported, not executed: nothing rotates by the
clock.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.errors import ApiError
from sandbox.services import secret_versions
from sandbox.services.functions import logs
from sandbox.services.functions.records import Function, Functions
from sandbox.services.functions.runs import Job, Outcome, Run, Runs
from sandbox.services.json_api import Json, JsonCall, Operation
from sandbox.services.reach import Reach

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
ATTEMPTS = 5
PAUSE = 30.0
"""Virtual seconds between attempts; AWS names no figure."""
_PRINCIPAL = "secretsmanager.amazonaws.com"
_DAY = 86_400.0
_RATE = re.compile(r"rate\((\d+) (hour|day)s?\)")
_FIELDS = ("RotationEnabled", "RotationLambdaARN", "RotationRules", "LastRotatedDate", "NextRotationDate")


@dataclass(frozen=True)
class _Round:
    """One attempt at a version: which secret, which version, which steps."""

    region: str
    secret: str
    token: str
    steps: tuple[str, ...] = STEPS

    @property
    def is_test(self) -> bool:
        """Whether it only tests the function."""
        return self.steps != STEPS


@dataclass
class _Rotation:
    """A secret's rotation settings, and the current attempt; none between two attempts."""

    function: str
    rules: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool = True
    last: float | None = None
    next: float | None = None
    attempts: int = 0
    round: _Round | None = None
    run: Run | None = None

    def stop(self) -> None:
        """End the attempt; its results are ignored."""
        if self.run is not None:
            self.run.cancel()
        self.run = self.round = None


class Rotations:
    """The rotations of one account. Its lock is never held while a function runs or the agenda is used."""

    def __init__(
        self,
        reach: Reach,
        functions: Functions,
        runs: Runs,
        variables: Callable[[Function], Mapping[str, str]],
    ) -> None:
        """*variables* returns the sandbox's variables for a function's environment."""
        self._reach = reach
        self._functions = functions
        self._runs = runs
        self._variables = variables
        self._lock = threading.RLock()
        self._held: dict[str, _Rotation] = {}
        self._changed: dict[str, float] = {}

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations answered in front of moto, by X-Amz-Target."""
        return {
            "secretsmanager.RotateSecret": self._rotate,
            "secretsmanager.CancelRotateSecret": self._cancel,
            "secretsmanager.DescribeSecret": lambda call: self._told(call.beneath()),
            "secretsmanager.ListSecrets": self._list,
            "secretsmanager.UpdateSecretVersionStage": self._move,
        }

    def clear(self) -> None:
        """Forget every configuration."""
        with self._lock:
            self._held.clear()
            self._changed.clear()

    def _rotate(self, call: JsonCall) -> Json:
        body = call.body
        secret = secret_versions.found(self._reach.backend("secretsmanager", call.region), body["SecretId"])
        token = body.get("ClientRequestToken") or str(uuid.uuid4())
        with self._lock:
            self._configure(secret.arn, body)
            self._end_test(secret)
            if not self._goes_on(call.region, secret, token):
                immediately = body.get("RotateImmediately", True)
                secret_versions.add_pending(secret, token, with_value=not immediately)
                steps = STEPS if immediately else ("testSecret",)
                self._start(_Round(call.region, secret.arn, token, steps), first=True)
        return {"ARN": secret.arn, "Name": secret.name, "VersionId": token}

    def _configure(self, arn: str, body: Mapping[str, Any]) -> None:
        held = self._held.get(arn)
        function = body.get("RotationLambdaARN") or (held.function if held else None)
        if not function:
            said = "No Lambda rotation function ARN is associated with this secret."
            raise ApiError("InvalidRequestException", said)
        if self._functions.get(function) is None:
            raise ApiError("ResourceNotFoundException", "Lambda does not exist or could not be accessed")
        if not self._functions.may_invoke(function, _PRINCIPAL):
            said = (
                "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy"
                f" grants access to the principal {_PRINCIPAL}."
            )
            raise ApiError("AccessDeniedException", said)
        rotation = held or self._held.setdefault(arn, _Rotation(function))
        rotation.function, rotation.enabled = function, True
        rotation.rules = body.get("RotationRules") or rotation.rules
        rotation.next = self._next(rotation, rotation.last or self._now())

    def _end_test(self, secret: Any) -> None:
        """Give up the test of a function: here it takes longer, by the clock, than on AWS."""
        rotation = self._held[secret.arn]
        if rotation.round is not None and rotation.round.is_test:
            secret_versions.remove(secret, rotation.round.token)
            rotation.stop()

    def _goes_on(self, region: str, secret: Any, token: str) -> bool:
        """Whether that rotation is unfinished: it is resumed if it was given up. Refuses another."""
        unfinished = secret_versions.unfinished(secret)
        if unfinished is None:
            return False
        if self._held[secret.arn].round is None:
            self._start(_Round(region, secret.arn, unfinished), first=True)
        if unfinished == token:
            return True
        raise ApiError(
            "InvalidRequestException",
            "A previous rotation isn't complete. That rotation will be reattempted.",
        )

    def _start(self, round_: _Round, *, first: bool) -> None:
        rotation = self._held[round_.secret]
        rotation.attempts = 1 if first else rotation.attempts + 1
        rotation.round = round_
        rotation.run = self._runs.start(lambda: self._job(round_), lambda *ended: self._ended(round_, *ended))

    def _job(self, round_: _Round) -> Job | None:
        rotation = self._held.get(round_.secret)
        function = self._functions.get(rotation.function) if rotation else None
        around = self._reach.surroundings
        if rotation is None or function is None or not around.endpoint:
            self._settled(round_, done=False)
            return None
        events = [
            {"Step": step, "SecretId": round_.secret, "ClientRequestToken": round_.token}
            for step in round_.steps
        ]
        failing = around.faults.of_steps(function.name, round_.steps)
        return Job(function, events, around.endpoint, around.key, failing, self._variables(function))

    def _ended(self, round_: _Round, job: Job, outcome: Outcome) -> None:
        logs.write(self._reach.client, job.function, outcome.lines)
        again = self._settled(round_, done=outcome.done)
        if again:
            self._reach.surroundings.after(PAUSE, lambda: self._again(round_))

    def _settled(self, round_: _Round, *, done: bool) -> bool:
        """Note how an attempt ended; returns whether it is repeated."""
        with self._lock:
            rotation = self._held.get(round_.secret)
            secret = self._reach.backend("secretsmanager", round_.region).secrets.get(round_.secret)
            if rotation is None or secret is None or rotation.round is not round_:
                return False
            rotation.run = rotation.round = None
            if round_.is_test:
                secret_versions.remove(secret, round_.token)
                return False
            if done and secret_versions.unfinished(secret) is None:
                rotation.last = self._changed[round_.secret] = self._now()
                rotation.next = self._next(rotation, rotation.last)
                return False
            return rotation.enabled and rotation.attempts < ATTEMPTS

    def _again(self, round_: _Round) -> None:
        with self._lock:
            rotation = self._held.get(round_.secret)
            secret = self._reach.backend("secretsmanager", round_.region).secrets.get(round_.secret)
            wanted = secret is not None and secret_versions.unfinished(secret) == round_.token
            if rotation and rotation.enabled and rotation.round is None and wanted:
                self._start(round_, first=False)

    def _cancel(self, call: JsonCall) -> Json:
        """Turn rotation off, and end the one in progress; its labels stay where they are."""
        backend = self._reach.backend("secretsmanager", call.region)
        secret = secret_versions.found(backend, call.body["SecretId"])
        with self._lock:
            rotation = self._held.get(secret.arn)
            if rotation is not None:
                rotation.enabled, rotation.next = False, None
                self._end_test(secret)
                rotation.stop()
        answer = {"ARN": secret.arn, "Name": secret.name}
        pending = secret_versions.unfinished(secret)
        return {**answer, "VersionId": pending} if pending else answer

    def _move(self, call: JsonCall) -> Json:
        answer = call.beneath()
        secret = self._reach.backend("secretsmanager", call.region).secrets[answer["ARN"]]
        secret_versions.settle(secret)
        self._changed[secret.arn] = self._now()
        return answer

    def _list(self, call: JsonCall) -> Json:
        answer = call.beneath()
        return {**answer, "SecretList": [self._told(each) for each in answer["SecretList"]]}

    def _told(self, shown: Json) -> Json:
        """Return a secret's description with its rotation, without unlabelled versions."""
        told = {name: value for name, value in shown.items() if name not in _FIELDS}
        for name in ("VersionIdsToStages", "SecretVersionsToStages"):
            if name in told:
                told[name] = {version: labels for version, labels in told[name].items() if labels}
        changed = self._changed.get(shown["ARN"])
        if changed is not None:
            told["LastChangedDate"] = max(changed, shown.get("LastChangedDate") or 0)
        rotation = self._held.get(shown["ARN"])
        if rotation is None:
            return told
        values = (rotation.enabled, rotation.function, rotation.rules, rotation.last, rotation.next)
        shown_values = zip(_FIELDS, values, strict=True)
        return told | {name: value for name, value in shown_values if value is not None}

    def _next(self, rotation: _Rotation, since: float) -> float | None:
        days = rotation.rules.get("AutomaticallyAfterDays")
        if days:
            return since + float(days) * _DAY
        rate = _RATE.fullmatch(rotation.rules.get("ScheduleExpression", ""))
        if rate is None:
            return None
        return since + float(rate.group(1)) * (_DAY if rate.group(2) == "day" else _DAY / 24)

    def _now(self) -> float:
        return self._reach.surroundings.now()
