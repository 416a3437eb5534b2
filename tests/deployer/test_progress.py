"""What a person sees while a run goes on: lines in a log, bars on a terminal."""

import io
import re
from contextlib import redirect_stderr
from datetime import UTC, datetime

import pytest
from rich.console import Console

from deployer.progress import (
    Event,
    Notice,
    ResourceEvent,
    RunStarted,
    StackDecided,
    StackExpected,
    StackFinished,
    StackResult,
    StackStarted,
    Stopping,
    Waiting,
)
from deployer.states import StackEvent
from gatestack.progress import Bars, Lines

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def said(logical_id: str, status: str, reason: str = "") -> ResourceEvent:
    event = StackEvent("1", "arn:1", "dev-a-alb", NOON, logical_id, "x", "AWS::X::Y", status, reason)
    return ResourceEvent("alb", event)


def finished(outcome: str = "done", status: str = "CREATE_COMPLETE", action: str = "create") -> StackFinished:
    return StackFinished(StackResult("alb", "dev-a-alb", action, outcome, status, 3.21))  # type: ignore[arg-type]  # literals by parameter


def lines(*events: Event, quiet: bool = False) -> list[str]:
    written = io.StringIO()
    show = Lines(quiet=quiet)
    with redirect_stderr(written):
        for event in events:
            show(event)
    return [re.sub(r"^\d\d:\d\d:\d\d  ", "", line) for line in written.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (said("Listener", "CREATE_COMPLETE"), "alb       CREATE_COMPLETE              Listener (AWS::X::Y)"),
        (said("Rule", "CREATE_FAILED", "no"), "alb       CREATE_FAILED                Rule (AWS::X::Y)  no"),
        (StackDecided("alb", "prepare", "it does not exist"), "alb       prepare: it does not exist"),
        (Waiting("alb", "it is being updated"), "alb       waits: it is being updated"),
        (finished(), "alb       CREATE_COMPLETE after 3.2 s"),
        (finished(action="none"), "alb       no changes after 3.2 s"),
        (finished("failed", ""), "alb       failed after 3.2 s"),
        (finished("failed", "UPDATE_ROLLBACK_COMPLETE"), "alb       UPDATE_ROLLBACK_COMPLETE after 3.2 s"),
        *(
            (finished(outcome, status, action), f"alb       {words} after 3.2 s")
            for status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
            for action in ("update", "none", "delete")
            for outcome, words in (
                ("failed", "failed"),
                ("protected", "needs consent"),
                ("interrupted", "interrupted"),
                ("going-on", "still in progress"),
                ("skipped", "skipped"),
            )
        ),
        (Notice("look", "alb"), "alb       look"),
        (Notice("look", warning=True), "          warning: look"),
    ],
)
def test_a_log_has_one_line_for_an_event(event: Event, line: str) -> None:
    assert lines(event) == [line]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Stopping(), "starting nothing more"),
        (
            Stopping(("alb",)),
            "starting nothing more; AWS continues with alb: waiting until it ends (again: exit now)",
        ),
        (Stopping(("alb",), leaving=True), "exiting; AWS continues with: alb"),
        (Stopping((), leaving=True), "exiting; nothing is in progress in AWS"),
    ],
)
def test_a_signal_is_answered_with_what_goes_on_in_aws(event: Event, line: str) -> None:
    assert lines(event, quiet=True) == [line]


def test_quiet_tells_warnings_only() -> None:
    events = [said("Listener", "CREATE_COMPLETE"), Notice("so"), Notice("beware", warning=True), finished()]

    assert lines(*events, quiet=True) == ["          warning: beware"]


def screen(*events: Event, verbose: bool = False) -> str:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, color_system=None, width=120)
    bars = Bars(console, verbose=verbose)
    with bars.progress:
        for event in events:
            bars(event)
    return re.sub(r"\x1b\[\??[0-9;]*[A-Za-z]", "", written.getvalue().replace("\r", "\n"))


STARTED = RunStarted("dev", "deploy", (("network",), ("alb",)), {}, {"network": 4, "alb": 2})


def last(shown: str, stack: str) -> str:
    return [line for line in shown.splitlines() if line.startswith(stack)][-1]


def test_a_bar_counts_a_stacks_resources_and_names_the_current_one() -> None:
    going = [
        STARTED,
        StackStarted("alb", "create", 2),
        said("Listener", "CREATE_IN_PROGRESS"),
        said("Listener", "CREATE_COMPLETE"),
        said("Listener", "CREATE_COMPLETE"),
        said("Rule", "CREATE_IN_PROGRESS"),
    ]

    assert re.search(r" 1/2 +0:00:00 +Rule CREATE_IN_PROGRESS", last(screen(*going), "alb"))
    assert "0/4" in last(screen(*going), "network")


def test_a_stack_that_is_done_has_a_full_bar_and_its_status() -> None:
    shown = screen(STARTED, StackStarted("alb", "create", 2), finished())

    assert re.search(r" 2/2 +0:00:00 +CREATE_COMPLETE", last(shown, "alb"))


def test_failures_and_notices_stay_on_the_screen_above_the_bars() -> None:
    shown = screen(
        STARTED, StackStarted("alb", "create", 2), said("Rule", "CREATE_FAILED", "no"), Notice("look")
    )

    assert "CREATE_FAILED                Rule (AWS::X::Y)  no" in shown
    assert "look" in shown


def test_verbose_writes_every_event_above_the_bars() -> None:
    going = [STARTED, StackStarted("alb", "create", 2), said("Listener", "CREATE_COMPLETE")]

    assert "Listener (AWS::X::Y)" in screen(*going, verbose=True)
    assert "Listener (AWS::X::Y)" not in screen(*going)


def test_the_rest_is_what_is_left_of_the_usual_time() -> None:
    started = StackStarted("alb", "create", 2, expected=630.0)

    assert re.search(r" 0/2 +0:00:00 +~10 min", last(screen(STARTED, started), "alb"))
    assert "~" not in last(screen(STARTED, started, finished()), "alb")


def test_the_rest_is_corrected_by_what_the_same_took_before() -> None:
    going = [STARTED, StackStarted("alb", "update", 2, expected=630.0), StackExpected("alb", 1260.0)]

    assert re.search(r" 0/2 +0:00:00 +~21 min", last(screen(*going), "alb"))
    assert lines(*going) == []


def test_a_deployment_in_several_passes_keeps_one_bar_a_stack() -> None:
    shown = screen(STARTED, StackStarted("alb", "update", 2), finished(), STARTED, finished(action="none"))

    final = shown[shown.rindex("network") :]
    assert [line.split()[0] for line in final.splitlines() if line.strip()] == ["network", "alb"]
