"""The deployer on the sandbox without a network between them: fast enough to try every moment of a run."""

from __future__ import annotations

import io
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from deployer.aws.account import Aws
from deployer.aws.budget import Budget
from deployer.deploy import deploy, destroy
from deployer.options import Host, Options
from deployer.progress import Event, Result
from generator.manifest import Manifest, StackSpec
from sandbox.server import Call
from tests.command import CREDENTIALS
from tests.deployer.fakes import manifest, spec
from tests.sandbox.sandbox_fakes import THING, World, exporting, of, thing, world

REGION = "eu-central-1"


class Killed(BaseException):
    """The process ended here, from the run's point of view."""


class Wire:
    """Passes botocore's requests to the sandbox; tests cut it."""

    def __init__(self, box: World) -> None:
        self._box = box
        self.count = 0
        self.kill_after: int | None = None
        self.gone_until = float("-inf")
        """Virtual time until which there is no response."""
        self.seconds = 0.0
        """Virtual time of one call."""
        self.after: Callable[[], None] = lambda: None
        """Called after a call was carried out, before its response arrives."""

    def __call__(self, request: Any, **_: Any) -> AWSResponse:
        clock = self._box.sandbox.clock
        if clock.now() < self.gone_until:
            raise EndpointConnectionError(endpoint_url=request.url)
        self._box.sandbox.advance(self.seconds)
        answer = _Answer()
        body = b"".join(self._box.sandbox.app(answer.environ(request), answer.start))
        self.count += 1
        if self.count == self.kill_after:
            raise Killed
        self.after()
        if answer.dropped:
            raise ConnectionClosedError(endpoint_url=request.url)
        return AWSResponse(request.url, answer.status, answer.headers, _Body(body))


class _Answer:
    """One request in the sandbox's WSGI application."""

    def __init__(self) -> None:
        self.dropped = False
        self.status = 0
        self.headers: dict[str, str] = {}

    def environ(self, request: Any) -> dict[str, Any]:
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        headers = {
            f"HTTP_{name.upper().replace('-', '_')}": _text(it) for name, it in request.headers.items()
        }
        return {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": "/",
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-8",
            "CONTENT_LENGTH": str(len(body)),
            **headers,
            "HTTP_HOST": urlsplit(request.url).netloc,
            "RAW_URI": "/",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "werkzeug.socket": self,
        }

    def shutdown(self, _: int) -> None:
        """Stand in for the socket that the sandbox shuts when it drops a connection."""
        self.dropped = True

    def start(self, status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        self.status, self.headers = int(status[:3]), dict(headers)


class _Body:
    """The response body for botocore."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


@cache
def _session() -> botocore.session.Session:
    """One for all: loading the service model takes most of a test's time."""
    made = botocore.session.Session()
    made.set_credentials(*CREDENTIALS.values())
    parsers = made.get_component("response_parser_factory")
    parsers.set_parser_defaults(timestamp_parser=datetime.fromisoformat)  # a third of a call's time less
    return made


class Line:
    """A sandbox, a wire to it, and any number of runs on its clock."""

    def __init__(self, box: World, seed: int = 0) -> None:
        self.box = box
        self.sandbox = box.sandbox
        self.wire = Wire(box)
        self.told: list[Event] = []
        self.runs = 0
        self.signals: list[float] = []
        """Virtual seconds after the beginning of a run at which somebody presses Ctrl-C."""
        client = _session().create_client(
            "cloudformation",
            region_name=REGION,
            endpoint_url=box.sandbox.endpoint,
            config=Config(retries={"total_max_attempts": 1}),
        )
        client.meta.events.register("before-send.cloudformation", self.wire)
        chance = random.Random(seed).random  # noqa: S311 - reproducible pauses, no secret
        self.budget = Budget(self.sandbox.clock.now, self.sandbox.advance, chance)
        self.aws = Aws(client, lambda _: client, REGION, budget=self.budget)

    def deploy(self, wanted: Manifest, **options: Any) -> Result:
        return deploy(wanted, self.aws, self._options(options), self.host())

    def destroy(self, wanted: Manifest, **options: Any) -> Result:
        return destroy(wanted, self.aws, self._options(options), self.host())

    def _options(self, given: Mapping[str, Any]) -> Options:
        """Poll every ten seconds by default: the interval itself has its own tests."""
        return Options(**{"poll_interval": 10.0, **given})

    def host(self) -> Host:
        self.runs += 1
        began = self.now()

        def stop() -> int:
            return sum(self.now() - began >= at for at in self.signals)

        return Host(self.told.append, self.now, self.sandbox.advance, f"r{self.runs}", stop)

    def now(self) -> float:
        return self.sandbox.clock.now()

    # state from the sandbox, without counting calls or causing faults

    def ask(self, action: str, **params: Any) -> Mapping[str, Any]:
        return self.sandbox.control.call(action, params, REGION)

    def stacks(self) -> dict[str, str]:
        """Return the living stacks' statuses by name."""
        return {one["StackName"]: one["StackStatus"] for one in self._all("DescribeStacks", "Stacks")}

    def ids(self) -> dict[str, str]:
        return {one["StackName"]: one["StackId"] for one in self._all("DescribeStacks", "Stacks")}

    def physical(self) -> dict[tuple[str, str], str]:
        """Return every resource's physical id, which shows replacements."""
        return {
            (name, one["LogicalResourceId"]): one["PhysicalResourceId"]
            for name in self.stacks()
            for one in self._all("ListStackResources", "StackResourceSummaries", StackName=name)
        }

    def change_sets(self) -> list[str]:
        """Return the change sets that wait for execution."""
        return [
            f"{name}: {one['ChangeSetName']}"
            for name in self.stacks()
            for one in self._all("ListChangeSets", "Summaries", StackName=name)
            if one["ExecutionStatus"] not in {"EXECUTE_COMPLETE", "EXECUTE_IN_PROGRESS"}
        ]

    def operations(self) -> dict[str, list[str]]:
        """Return what was started on each stack name, in order, also on deleted stacks."""
        found: dict[str, list[tuple[float, str]]] = {}
        for one in self._all("ListStacks", "StackSummaries"):
            for event in self._all("DescribeStackEvents", "StackEvents", StackName=one["StackId"]):
                mine = event["PhysicalResourceId"] == one["StackId"]
                if mine and event["ResourceStatus"] in BEGINNINGS:
                    found.setdefault(one["StackName"], []).append(
                        (event["Timestamp"], event["ResourceStatus"])
                    )
        return {
            name: [status.removesuffix("_IN_PROGRESS") for _, status in sorted(events)]
            for name, events in sorted(found.items())
        }

    def calls(self) -> Counter[str]:
        """Return how often each action was called since the last time."""
        found = Counter(call.action for call in self.sandbox.calls)
        self.sandbox.calls.clear()
        return found

    def state(self) -> tuple[Any, ...]:
        """Return all state that must be the same after an undisturbed and a disturbed run."""
        return self.stacks(), self.physical(), self.change_sets()

    def _all(self, action: str, member: str, **params: Any) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        while True:
            page = self.ask(action, **params)
            found += page[member]
            if not page.get("NextToken"):
                return found
            params["NextToken"] = page["NextToken"]


_LOOKS = ("Describe", "Get", "List")


def moments(calls: Sequence[Call]) -> list[int]:
    """Return the numbers of those *calls* that change something, and of the last poll before each."""
    looks = [call.action.startswith(_LOOKS) for call in calls]
    following = zip(looks, [*looks[1:], True], strict=True)
    return [number for number, here in enumerate(following, 1) if not all(here)]


BEGINNINGS = frozenset(
    f"{verb}_IN_PROGRESS" for verb in ("CREATE", "UPDATE", "DELETE", "ROLLBACK", "UPDATE_ROLLBACK", "IMPORT")
)


@contextmanager
def line(seed: int = 0) -> Iterator[Line]:
    """Give a sandbox with a wire to it."""
    with world(seed) as box:
        yield Line(box, seed)


def made_of(
    name: str, resources: dict[str, Any], exports: dict[str, Any] | None = None, **more: Any
) -> StackSpec:
    """A stack of the environment dev, its exports called dev-NAME-KEY."""
    outputs = {key: exporting(f"dev-{name}-{key}", value) for key, value in (exports or {}).items()}
    return spec(name, json.dumps(of(resources, Outputs=outputs)), **more)


def imported(name: str) -> dict[str, str]:
    return {"Fn::ImportValue": name}


def four(size: str = "1", type_: str = THING) -> Manifest:
    """Two stacks side by side and two behind them; *size* is what an update changes."""
    arn, key = {"Fn::GetAtt": "One.Arn"}, imported("dev-keys-Arn")
    return manifest(
        made_of("keys", {"One": thing(Value=size)}, {"Arn": arn}),
        made_of("net", {"One": thing(Value="net"), "Two": thing(Value={"Ref": "One"})}, {"Arn": arn}),
        made_of("data", {"One": thing(type_, Value=size), "Key": thing(Value=key)}, {"Arn": arn}),
        made_of(
            "web",
            {"One": thing(Value=size), "A": thing(Value=imported("dev-data-Arn")),
             "B": thing(Value=imported("dev-net-Arn"))},
        ),
        region=REGION,
    )  # fmt: skip


def three(size: str = "1") -> Manifest:
    """Two stacks side by side and one behind them; *size* is what an update changes, in two of them."""
    arn = {"Fn::GetAtt": "One.Arn"}
    both = {"A": thing(Value=imported("dev-keys-Arn")), "B": thing(Value=imported("dev-data-Arn"))}
    return manifest(
        made_of("keys", {"One": thing()}, {"Arn": arn}),
        made_of("data", {"One": thing(Value=size)}, {"Arn": arn}),
        made_of("web", {"One": thing(Value=size), **both}),
        region=REGION,
    )


def outcomes(result: Result) -> dict[str, tuple[str, str]]:
    return {stack.name: (stack.action, stack.outcome) for stack in result.stacks}


ALL = ("keys", "net", "data", "web")


def all_are(action: str, outcome: str = "done") -> dict[str, tuple[str, str]]:
    return dict.fromkeys(ALL, (action, outcome))
