"""The trace of one run of a command: collects its events, and sends them when it ends in any way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deployer.history.trace import Part, StackRecord, covering, stack_parts
from deployer.progress import Event, ResourceEvent, Result, StackDecided, StackFinished, StackResult, Tell
from deployer.report import first_cause
from deployer.states import StackEvent
from gatestack import gate, telling
from gatestack.environment import Environment

if TYPE_CHECKING:
    from gatestack.tracing.settings import Settings

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Variables without which nothing of this package is loaded."""


class Recorder:
    """Keeps a run's events of its stacks; a deployment in several passes is one run."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._began: dict[str, datetime] = {}
        self._ended: dict[str, datetime] = {}
        self._events: dict[str, dict[str, StackEvent]] = {}
        self._results: dict[str, StackResult] = {}

    def through(self, tell: Tell) -> Tell:
        """Return a listener that keeps an event and passes it on to *tell*."""

        def keep(event: Event) -> None:
            self._keep(event)
            tell(event)

        return keep

    def _keep(self, event: Event) -> None:
        match event:
            case StackDecided():
                self._began.setdefault(event.stack, self._now())
            case ResourceEvent():
                self._events.setdefault(event.stack, {}).setdefault(event.event.id, event.event)
            case StackFinished():
                one = event.result
                self._results[one.name], self._ended[one.name] = one, self._now()

    def records(self) -> list[StackRecord]:
        """Return the records, one per stack."""
        now = self._now()
        names = dict.fromkeys([*self._began, *self._events, *self._results])
        return [
            StackRecord(
                name,
                self._began.get(name, now),
                self._ended.get(name, now),
                tuple(sorted(self._events.get(name, {}).values(), key=lambda one: one.time)),
                self._results.get(name),
            )
            for name in names
        ]


class Run:
    """A run with or without a trace."""

    def __init__(self, recorder: Recorder | None) -> None:
        self._recorder = recorder
        self.result: Result | None = None

    def through(self, tell: Tell) -> Tell:
        """Return *tell*, or a listener that keeps events for the trace before it passes them on."""
        return self._recorder.through(tell) if self._recorder else tell

    def ended(self, result: Result) -> Result:
        """Note the result; returns it."""
        self.result = result
        return result


def wanted() -> bool:
    """Whether a trace is sent, so that events are read even if they are not shown."""
    return _settings(lambda _: None) is not None


@contextmanager
def traced(environment: Environment, goal: str) -> Iterator[Run]:
    """
    Send the trace of the run in the block once it is over; a failure is one warning, and stops nothing.

    After a third Ctrl-C no trace is sent.
    """
    where = _settings(lambda why: telling.warning(f"no trace is sent: {why}"))
    if where is None:
        yield Run(None)
        return
    began, recorder = _now(), Recorder(_now)
    run, failure = Run(recorder), ""
    try:
        yield run
    except Exception as error:
        failure = str(error) or type(error).__name__
        raise
    finally:
        if run.result or failure:
            try:
                root = _root(environment, goal, run.result, failure, recorder.records(), began)
                _send(root, environment, where)
            except Exception as error:  # noqa: BLE001 - a failed trace must not change the run's result
                telling.warning(f"no trace was sent: {type(error).__name__} while it was made")


def _settings(refuse: Callable[[str], None]) -> Settings | None:
    """Return the destination of a trace, if it is wanted; *refuse* is told why it cannot be sent."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return None
    from gatestack.tracing.settings import TracingError, settings  # noqa: PLC0415 - most runs have no trace

    try:
        return settings(os.environ)
    except TracingError as error:
        refuse(str(error))
        return None


def _root(
    environment: Environment,
    goal: str,
    result: Result | None,
    failure: str,
    records: list[StackRecord],
    began: datetime,
) -> Part:
    attributes: dict[str, str | int] = {
        "gatestack.environment": environment.name,
        "gatestack.system": environment.system,
    }
    if result:
        attributes["process.exit.code"] = result.exit_code
        failure = "interrupted" if result.interrupted else first_cause(result) or ""
    now = _now()
    return covering(Part(f"gatestack {goal}", began, now, attributes, failure, stack_parts(records, now)))


def _send(root: Part, environment: Environment, where: Settings) -> None:
    from importlib.metadata import version  # noqa: PLC0415 - as above
    from secrets import token_hex  # noqa: PLC0415 - as above

    from gatestack.tracing.otlp import document  # noqa: PLC0415 - as above
    from gatestack.tracing.sending import send  # noqa: PLC0415 - as above

    release = version("gatestack")
    resource = {
        "service.name": "gatestack",
        "service.version": release,
        "cloud.provider": "aws",
        "cloud.region": environment.region,
        "deployment.environment.name": environment.name,
        **where.attributes,
    }
    made = document(
        root,
        resource,
        token_hex,
        gate.told,
        trace_id=where.trace_id,
        parent_id=where.parent_id,
        version=release,
    )
    if problem := send(made, where):
        telling.warning(f"the trace was not sent to {where.where}: {problem}")


def _now() -> datetime:
    return datetime.now(UTC)
