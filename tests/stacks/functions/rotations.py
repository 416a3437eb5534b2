"""
Secrets Manager's part in a rotation, and scissors for every call that a rotation makes to the outside.

The secret itself is in moto, behind the sandbox's endpoint. What AWS has no call for, a version with a label
and no value, is put into moto's memory.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import botocore.session
from botocore.exceptions import EndpointConnectionError
from moto.core import DEFAULT_ACCOUNT_ID
from moto.secretsmanager.models import secretsmanager_backends

from sandbox.server import Sandbox
from sandbox.services.services import Services
from stacks.functions import postgres, proxy
from stacks.functions.postgres import Connection, Login
from stacks.functions.proxy import Answer, Request
from stacks.functions.rotation import STEPS
from tests.command import CREDENTIALS

REGION = "us-east-1"
ALL = tuple(STEPS)


class KilledError(BaseException):
    """The function was killed here, as by Lambda: no `except Exception` sees it."""


@cache
def _session() -> botocore.session.Session:
    made = botocore.session.Session()
    made.set_credentials(*CREDENTIALS.values())
    return made


def client_of(sandbox: Sandbox, service: str) -> Any:
    return _session().create_client(service, region_name=REGION, endpoint_url=sandbox.endpoint)


def services() -> Services:
    """Return an empty account, whose clients are answered in this process, without connections."""
    made = Services()
    made.reset()
    return made


class Step(Protocol):
    """One step of a rotation function, with all arguments except the event."""

    def __call__(self, event: Mapping[str, Any]) -> None: ...


@dataclass
class Scissors:
    """Counts the external calls and cuts one of them, before or after it takes effect."""

    calls: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    """The part of HTTP requests in an access log."""
    between: Callable[[], None] = lambda: None
    """Called before each call, and after the last one by the counting test."""
    _at: int | None = None
    _after: bool = False
    _killed: bool = False

    @contextmanager
    def cutting(self, at: int, *, after: bool, killed: bool) -> Iterator[None]:
        """Cut call number *at*: the function is killed there, or the call fails as in reality."""
        self.calls.clear()
        self._at, self._after, self._killed = at, after, killed
        try:
            yield
        finally:
            self._at = None

    def call(self, name: str, failure: Exception, act: Callable[[], Any]) -> Any:
        self.between()
        self.calls.append(name)
        here = len(self.calls) == self._at
        error = KilledError(name) if self._killed else failure
        if here and not self._after:
            raise error
        answer = act()
        if here:
            raise error
        return answer

    def aws(self, real: Any) -> Any:
        """Return a client whose calls are counted."""
        return _Counted(self, real)

    def connect(self, login: Login, *, tls: bool, authority: str, lock_milliseconds: int) -> Connection:
        """Connect, and count the statements."""
        made: list[Connection] = []

        def connecting() -> Connection:
            made.append(
                postgres.connect(login, tls=tls, authority=authority, lock_milliseconds=lock_milliseconds)
            )
            return made[0]

        try:
            real = self.call(f"login {login.user}", postgres.UnreachableError("cut"), connecting)
        except BaseException:
            for connection in made:  # the end of a process closes its sockets
                connection.close()
            raise
        return _CountedConnection(self, real)

    def send(self, request: Request) -> Answer:
        """Send, counted."""
        path = request.path.partition("?")[0]
        self.targets.append(request.path)
        answer: Answer = self.call(path, proxy.UnavailableError("cut"), lambda: proxy.send(request))
        return answer


class _Counted:
    def __init__(self, scissors: Scissors, real: Any) -> None:
        self._scissors = scissors
        self._real = real

    def __getattr__(self, method: str) -> Any:
        failure = EndpointConnectionError(endpoint_url="https://example.com")
        real = getattr(self._real, method)
        return lambda **given: self._scissors.call(method, failure, lambda: real(**given))


class _CountedConnection:
    def __init__(self, scissors: Scissors, real: Connection) -> None:
        self._scissors = scissors
        self._real = real

    def run(self, sql: str) -> None:
        failure = postgres.UnreachableError("cut")
        self._scissors.call(" ".join(sql.split()[:3]), failure, lambda: self._real.run(sql))

    def close(self) -> None:
        self._real.close()


@dataclass
class Secret:
    """One secret, and Secrets Manager's actions on it."""

    client: Any
    name: str

    @classmethod
    def holding(cls, client: Any, name: str, value: Mapping[str, Any]) -> Secret:
        client.create_secret(Name=name, SecretString=json.dumps(value))
        return cls(client, name)

    @property
    def _stored(self) -> Any:
        return secretsmanager_backends[DEFAULT_ACCOUNT_ID][REGION].secrets[self.name]

    @property
    def arn(self) -> str:
        return str(self._stored.arn)

    def begin(self, value: Mapping[str, Any] | None = None) -> str:
        """Create a version with the label AWSPENDING, as RotateSecret does, and return it."""
        token = str(uuid.uuid4())
        self._stored.remove_version_stages_from_old_versions(["AWSPENDING"])
        version = {"createdate": 0, "version_id": token, "version_stages": ["AWSPENDING"]}
        if value is not None:
            version["secret_string"] = json.dumps(value)
        self._stored.versions[token] = version
        return token

    def put(self, value: Mapping[str, Any]) -> None:
        """Set another current value, as a user or CloudFormation does."""
        self.client.put_secret_value(SecretId=self.name, SecretString=json.dumps(value))

    def value(self, label: str = "AWSCURRENT") -> dict[str, Any]:
        answer = self.client.get_secret_value(SecretId=self.name, VersionStage=label)
        value: dict[str, Any] = json.loads(answer["SecretString"])
        return value

    def current(self) -> str:
        stages = self.client.describe_secret(SecretId=self.name)["VersionIdsToStages"]
        (token,) = (version for version, labels in stages.items() if "AWSCURRENT" in labels)
        return str(token)

    def event(self, token: str, step: str) -> dict[str, str]:
        return {"SecretId": self.arn, "ClientRequestToken": token, "Step": step}

    def rotate(self, take: Step, token: str | None = None, *, steps: tuple[str, ...] = ALL) -> str:
        """Take *steps*, in their order, and return the version."""
        token = token or self.begin()
        for step in steps:
            take(self.event(token, step))
        return token

    def try_step(self, take: Step, token: str, step: str) -> None:
        """Take one step that may be cut."""
        with suppress(KilledError, Exception):
            take(self.event(token, step))


def cut_everywhere(
    secret: Secret, take: Step, scissors: Scissors, step: str, *, after: bool, killed: bool
) -> Iterator[tuple[str, str]]:
    """
    Cut every call of *step*, one per rotation, and yield version and call for each.

    The steps before it are taken undisturbed; those after it are left to the caller.
    """
    at = 0
    while True:
        at += 1
        token = secret.begin()
        secret.rotate(take, token, steps=ALL[: ALL.index(step)])
        with scissors.cutting(at, after=after, killed=killed):
            secret.try_step(take, token, step)
        if len(scissors.calls) < at:
            secret.rotate(take, token, steps=ALL[ALL.index(step) :])
            return
        yield token, scissors.calls[at - 1]


def telling(calls: Sequence[str]) -> list[int]:
    """Return the numbers of *calls* with an effect; of consecutive statements the first and the last."""
    inner = [_is_statement(call) for call in calls]
    around = zip([False, *inner[:-1]], inner, [*inner[1:], False], strict=True)
    return [number for number, here in enumerate(around, 1) if not all(here)]


def _is_statement(call: str) -> bool:
    """Whether it is SQL without effect before its COMMIT."""
    return call.partition(" ")[0].isupper() and call != "COMMIT"


def cut_telling_calls(
    secret: Secret, take: Step, scissors: Scissors, step: str, *, after: bool, killed: bool
) -> Iterator[tuple[str, str]]:
    """
    Cut the `telling` calls of *step*, as `cut_everywhere` does; the caller ends each rotation.

    The first two rotations of a login make other calls than all that follow: they come before.
    """
    earlier, later = ALL[: ALL.index(step)], ALL[ALL.index(step) + 1 :]
    for _ in range(3):
        token = secret.rotate(take, steps=earlier)
        scissors.calls.clear()
        secret.rotate(take, token, steps=(step,))
        calls = list(scissors.calls)
        secret.rotate(take, token, steps=later)
    for at in telling(calls):
        token = secret.rotate(take, steps=earlier)
        with scissors.cutting(at, after=after, killed=killed):
            secret.try_step(take, token, step)
        cut = scissors.calls[at - 1]  # the role's name differs each time
        assert _is_statement(cut) == _is_statement(calls[at - 1])
        yield token, cut
