"""
Starts a rotation and follows it until the new version is current, or a step keeps failing.

Secrets Manager's API does not report a failed step; the rotation function's log does, one line per step.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from deployer.day2.secret_rotation import FAILURE_PAGE
from deployer.day2.waiting import Patience, wait
from deployer.errors import CloudError, DeployError, LostSight, NotAllowed, Transient
from deployer.options import Host
from deployer.progress import Notice
from deployer.run.backoff import with_backoff

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
"""In their order (AWS Secrets Manager User Guide, "Lambda rotation functions")."""
FAILED_SECONDS = 90.0
"""How long a step may fail; Secrets Manager retries it meanwhile, and afterwards too."""
FAILED_TIMES = 5
"""How often a step may fail: after that somebody has to fix the cause."""
MISSED_LOOKS = 3
"""Polls in a row that must miss the version before it counts as gone: one may return the old state."""
LABEL = "rotation"


@dataclass(frozen=True)
class RotatedSecret:
    """A secret as DescribeSecret tells it; its value is not in it."""

    name: str
    function: str
    """ARN of the rotation function; empty where there is none."""
    enabled: bool
    stages: Mapping[str, frozenset[str]]
    """Version -> its labels."""
    next_rotation: datetime | None = None

    @property
    def pending(self) -> str | None:
        """The version that a rotation is making; None when none is in progress."""
        labels = self.stages.items()
        return next((one for one, those in labels if PENDING in those and CURRENT not in those), None)


@dataclass(frozen=True)
class Record:
    """What the rotation function wrote about one step."""

    step: str
    outcome: Literal["done", "failed"]
    error: str = ""


class Rotations(Protocol):
    """
    Secrets Manager and the rotation function's log, as far as a rotation needs them.

    Every method may raise what `deployer.cloud.Cloud` raises, and `deployer.errors.NotOffered`.
    """

    def look(self, secret: str) -> RotatedSecret | None:
        """Return the secret; None when there is none."""

    def start(self, secret: str, token: str) -> str | None:
        """Start a rotation and return its version; None where one is in progress already."""

    def skip(self, function: str) -> None:
        """Leave out of `records` what the function has written up to now: it is about earlier attempts."""

    def records(self, function: str, version: str) -> Sequence[Record]:
        """Return what the function wrote about the rotation to *version* since then, oldest first."""


@dataclass(frozen=True)
class Begun:
    """A rotation that is followed."""

    secret: str
    function: str
    version: str
    attached: bool = False
    """Whether somebody, or the schedule, had started it before."""


@dataclass(frozen=True)
class Rotation:
    """How a rotation ended."""

    secret: str
    version: str
    status: Literal["COMPLETED", "FAILED"]
    seconds: float
    reason: str = ""


@dataclass(frozen=True)
class Failure:
    """A step that failed and has not succeeded since."""

    step: str
    error: str
    times: int = 1


def standing(records: Sequence[Record]) -> Failure | None:
    """
    Return the failure that no later success has cleared; None if there is none.

    A repeated rotation begins with the first step again: only a success of the same step, or of a later one,
    clears the failure.
    """
    failure: Failure | None = None
    for record in records:
        if record.outcome == "failed":
            times = failure.times + 1 if failure and failure.step == record.step else 1
            failure = Failure(record.step, record.error, times)
        elif failure is not None and _place(record.step) >= _place(failure.step):
            failure = None
    return failure


def _place(step: str) -> int:
    return STEPS.index(step) if step in STEPS else -1


@dataclass(frozen=True)
class Rotator:
    """The secrets of one environment, and what is needed to wait for them."""

    rotations: Rotations
    host: Host
    patience: Patience
    environment: str

    def begin(self, secret: str) -> Begun:
        """
        Start a rotation of *secret* (its full name), or follow the one in progress.

        Raises:
            DeployError: there is no such secret, or nothing rotates it.
            LostSight: it is not known whether it has begun.

        """
        found = with_backoff(self.host, lambda: self.rotations.look(secret))
        deploy = f"`gatestack deploy {self.environment}`"
        if found is None:
            raise DeployError(f"there is no secret {secret}: {deploy} creates it")
        if not found.function:
            raise DeployError(f"no function rotates {secret}: {deploy} first, it sets the rotation up")
        with suppress(CloudError):  # that its log cannot be read is said later
            self.rotations.skip(found.function)
        token = str(uuid.uuid5(uuid.NAMESPACE_URL, f"gatestack/{self.host.run_id}/{secret}"))
        for _ in range(2):
            version = self._started(secret, token)
            if version is None:
                again = with_backoff(self.host, lambda: self.rotations.look(secret))
                pending = again.pending if again else None
                if pending is None:
                    continue  # the other one has ended in between
                version = pending
            return self._taken_up(Begun(secret, found.function, version, attached=version != token))
        raise DeployError(f"{secret} is repeatedly rotated by others: try again")

    def _started(self, secret: str, token: str) -> str | None:
        try:
            return with_backoff(self.host, lambda: self.rotations.start(secret, token))
        except (Transient, LostSight) as error:
            look = f"`gatestack verify {self.environment}` shows the result"
            raise LostSight(f"{error}; the rotation may have begun: {look}") from error

    def _taken_up(self, begun: Begun) -> Begun:
        how = "is in progress already: waiting for it" if begun.attached else "has begun"
        self.say(f"the rotation of {begun.secret} to version {begun.version[:8]} {how}")
        return begun

    def follow(self, begun: Begun) -> Rotation:
        """
        Wait until the rotation has ended.

        Raises:
            Interrupted, LostSight: Secrets Manager continues it; the message says how to check again.

        """
        look = f"`gatestack verify {self.environment}` shows the result"
        going_on = f"Secrets Manager continues the rotation of {begun.secret}; {look}"
        began = self.host.clock()
        ended = wait(_Follower(self, begun).look, self.host, self.patience, going_on)
        status: Literal["COMPLETED", "FAILED"] = "FAILED" if ended else "COMPLETED"
        return Rotation(begun.secret, begun.version, status, self.host.clock() - began, ended)

    def say(self, text: str, *, warning: bool = False) -> None:
        """Tell a person something about the rotation."""
        self.host.tell(Notice(text, LABEL, warning=warning))


class _Follower:
    """Follows one rotation, and tells its steps as the function writes them down."""

    def __init__(self, rotator: Rotator, begun: Begun) -> None:
        self._rotator = rotator
        self._begun = begun
        self._readable = True
        self._told = 0
        self._seen = False
        """Whether the new version was there: just after the start it may not be visible yet."""
        self._missed = 0
        """Polls in a row that have not shown it since."""
        self._failing: tuple[str, float] | None = None
        """The step that fails, and since when."""

    def look(self) -> str | None:
        """Return why it failed, an empty text when it is done, None while it is in progress."""
        found = self._rotator.rotations.look(self._begun.secret)
        if found is None:
            return f"{self._begun.secret} is gone"
        labels = found.stages.get(self._begun.version, frozenset())
        records = self._records()
        if labels & {CURRENT, PREVIOUS}:
            return ""
        failure = standing(records)
        if self._given_up(there=PENDING in labels):
            return self._because(failure, "was cancelled")
        return self._because(failure, "keeps failing") if self._too_long(failure) else None

    def _records(self) -> Sequence[Record]:
        """
        Return what the function wrote, and report what is new; the end of the rotation does not depend on it.
        """
        if not self._readable:
            return ()
        try:
            records = self._rotator.rotations.records(self._begun.function, self._begun.version)
        except Transient:
            return ()
        except (NotAllowed, CloudError) as error:
            self._readable = False
            self._rotator.say(f"its steps cannot be shown: {error}", warning=isinstance(error, NotAllowed))
            return ()
        for record in records[self._told :]:
            failed = record.outcome == "failed"
            what = f"{record.step} failed: {record.error}" if failed else f"{record.step} done"
            self._rotator.say(what, warning=failed)
        self._told = max(self._told, len(records))
        return records

    def _given_up(self, *, there: bool) -> bool:
        self._seen = self._seen or there
        self._missed = 0 if there else self._missed + 1
        return self._seen and self._missed >= MISSED_LOOKS

    def _too_long(self, failure: Failure | None) -> bool:
        if failure is None:
            self._failing = None
            return False
        if failure.times >= FAILED_TIMES:
            return True
        now = self._rotator.host.clock()
        if self._failing is None or self._failing[0] != failure.step:
            self._failing = (failure.step, now)
        return now - self._failing[1] >= FAILED_SECONDS / self._rotator.patience.speed

    def _because(self, failure: Failure | None, how: str) -> str:
        why = f" at {failure.step}: {failure.error}" if failure else ""
        what = f"the rotation of {self._begun.secret} {how}{why}"
        return f"{what}; the current value remains valid, what to do is in {FAILURE_PAGE}"
