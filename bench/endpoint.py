"""The sandbox as the bench uses it: a process of its own for programs, or here on a manual clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox import local
from sandbox.clock import ManualClock
from sandbox.key import Key
from sandbox.server import Sandbox
from sandbox.services.services import Services

INSTANT = 100_000.0
"""Sandbox seconds in a real one: the ten minutes of a database take 6 ms."""
CALL_SECONDS = 0.15
"""About the time of one call to CloudFormation on AWS."""


class Endpoint:
    """A sandbox in another process, on which everything is instant."""

    def __init__(self, url: str, key: Key) -> None:
        self.url = url
        self._key = key
        self._seen: Counter[str] = Counter()

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that programs need to use it."""
        return {
            **self._key.variables,
            "NO_PROXY": "127.0.0.1",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
        }

    def reset(self) -> None:
        """Forget everything that was created."""
        local.ask(self.url, self._key, "reset", {})
        self._seen.clear()

    def calls(self) -> Counter[str]:
        """Return how often each action of CloudFormation was asked for since the last time."""
        found = Counter(call["action"] for call in local.ask(self.url, self._key, "calls"))
        counted = found - self._seen
        self._seen = found
        return counted


@contextmanager
def instant(folder: Path) -> Iterator[Endpoint]:
    """Give a sandbox of *folder* in which everything is instant."""
    local.stop(folder)
    try:
        started = local.start(folder, speed=INSTANT)
        assert started.endpoint  # noqa: S101 - for mypy: it was started
        assert started.key  # noqa: S101 - as above
        yield Endpoint(started.endpoint, started.key)
    finally:
        local.stop(folder)


class Timed(Sandbox):
    """A sandbox on a manual clock, on which every call takes its time."""

    def __init__(self, *, call_seconds: float = CALL_SECONDS) -> None:
        Services().reset()  # moto keeps one account a process
        super().__init__(clock=ManualClock())
        self._call_seconds = call_seconds

    def _cloudformation(self, request: Any, region: str, caller: Any) -> Any:
        self.advance(self._call_seconds)
        return super()._cloudformation(request, region, caller)

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that botocore needs to use it."""
        return {**self.key.variables, "NO_PROXY": "127.0.0.1"}

    def sleep(self, seconds: float) -> None:
        """Advance the clock; functions in progress have ended by then, as on a running clock."""
        self.advance(seconds)
        self.backing.wait()

    def took(self, stack_names: Mapping[str, str], region: str) -> dict[str, float]:
        """Return how long the creation of each stack took, in virtual seconds, by short name."""
        found = {}
        for name, stack_name in stack_names.items():
            pages = self._events(stack_name, region)
            times = {
                one["ResourceStatus"]: one["Timestamp"]
                for one in pages
                if one["LogicalResourceId"] == stack_name
            }
            found[name] = times["CREATE_COMPLETE"] - times["CREATE_IN_PROGRESS"]
        return found

    def _events(self, stack_name: str, region: str) -> Iterator[Mapping[str, Any]]:
        asked: dict[str, Any] = {"StackName": stack_name}
        while True:
            page = self.control.call("DescribeStackEvents", asked, region)
            yield from page["StackEvents"]
            if not page.get("NextToken"):
                return
            asked["NextToken"] = page["NextToken"]
