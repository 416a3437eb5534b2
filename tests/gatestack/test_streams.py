"""Streams that are gone, terminals that want no colours, and machines on which nothing can be written."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gatestack.signals import host, interrupting
from tests.command import LOGIN, User
from tests.covering import only, parameter
from tests.deployer.run.test_signals import Desk, in_mid_deployment
from tests.gatestack.terminal import Terminal, forked
from tests.places import ROOT
from tests.sandbox.sandbox_fakes import world
from tests.sandbox.sandbox_wire import Line

SGR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with world() as box:
        yield Desk(Line(box), tmp_path)


def variables(desk: Desk, **more: str) -> dict[str, str]:
    own = {"PATH": os.environ["PATH"], "HOME": str(desk.folder), "PYTHONPATH": str(ROOT)}
    return own | LOGIN | {"AWS_ENDPOINT_URL": desk.aws.sandbox.endpoint} | more


def goes_on(desk: Desk) -> None:
    """Let the clock go on with every look."""
    for action in ("DescribeChangeSet", "DescribeStacks"):
        desk.calls.then |= {(action, n): lambda: desk.aws.sandbox.advance(5) for n in range(1, 500)}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gatestack", "--poll-interval", "0.02", *arguments]


def run(desk: Desk, line: Sequence[str], **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        line,
        cwd=desk.folder,
        env=variables(desk, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def in_shell(desk: Desk, line: str) -> subprocess.CompletedProcess[str]:
    """Run *line* in bash, where ``$0`` is a deployment."""
    return run(desk, ["bash", "-c", line, *command("deploy", "built", "--yes", "--format", "json")])


def at_a_terminal(desk: Desk, *arguments: str, **more: str) -> tuple[int, str]:
    """Run a command whose stdout and stderr are a terminal; returns its code and all that it wrote."""
    own = variables(desk, **({"TERM": "xterm-256color"} | more))
    with Terminal(forked(desk.folder, *arguments), desk.folder, own, 160) as terminal:
        code = terminal.end()
    return code, terminal.written


# streams that are gone


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('"$0" "$@" | true; exit ${PIPESTATUS[0]}', marks=pytest.mark.deep),
        pytest.param('"$0" "$@" 2>&1 | true; exit ${PIPESTATUS[0]}', marks=pytest.mark.deep),
        '"$0" "$@" 2>&1 | head -1; exit ${PIPESTATUS[0]}',
        pytest.param('"$0" "$@" 2>&-', marks=pytest.mark.deep),
        pytest.param('"$0" "$@" >&-', marks=pytest.mark.deep),
        '"$0" "$@" <&- >&- 2>&-',
        pytest.param('"$0" "$@" >/dev/full', marks=pytest.mark.deep),
        pytest.param('"$0" "$@" 2>/dev/full', marks=pytest.mark.deep),
        pytest.param('"$0" "$@" >/dev/full 2>&1', marks=pytest.mark.deep),
    ],
)
def test_a_deployment_that_nobody_reads_is_done_as_any_other(desk: Desk, line: str) -> None:
    goes_on(desk)

    done = in_shell(desk, line)

    assert done.returncode == 0, done.stderr
    assert set(desk.aws.stacks().values()) == {"CREATE_COMPLETE"}
    assert len(desk.aws.stacks()) == 4
    assert desk.aws.change_sets() == []
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_deployment_that_fails_unread_has_the_code_of_one_that_is_read(desk: Desk) -> None:
    goes_on(desk)
    desk.aws.sandbox.faults.add({"resources": [{"logical_id": "Key", "operation": "create", "reason": "no"}]})
    desk.aws.sandbox.faults.add(
        {"resources": [{"logical_id": "Thing", "operation": "create", "reason": "no"}]}
    )

    assert in_shell(desk, '"$0" "$@" >&- 2>&-').returncode == 1


def test_a_terminal_that_goes_away_ends_a_run_as_sigterm_does(desk: Desk) -> None:
    with desk.command("deploy", "built", "--yes") as run:
        in_mid_deployment(desk, run)
        run.send(signal.SIGHUP)
        assert "AWS continues with keys, net" in run.until("starting nothing more")
        desk.aws.sandbox.finish()
        code, text = run.end()

    assert (code, desk.aws.change_sets()) == (130, []), text
    assert set(desk.aws.stacks().values()) == {"CREATE_COMPLETE"}


def test_under_nohup_a_terminal_that_goes_away_is_not_heard() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with host(lambda _: None) as here:
            signal.raise_signal(signal.SIGHUP)
            assert here.stop() == 0
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_who_waits_for_an_answer_is_interrupted(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interrupting():
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_a_terminal_that_goes_away_at_the_question_leaves_no_change_set(desk: Desk) -> None:
    ours, theirs = pty.openpty()
    goes_on(desk)
    process = subprocess.Popen(
        command("deploy", "built"),
        cwd=desk.folder,
        env=variables(desk, TERM="dumb"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    last_resort = threading.Timer(60, process.kill)
    last_resort.start()
    said = b""
    while b"Deploy this" not in said:
        said += os.read(ours, 65536)
    assert desk.aws.change_sets() != []
    process.send_signal(signal.SIGHUP)
    os.close(ours)

    assert process.wait(timeout=60) == 130, said
    last_resort.cancel()
    assert desk.aws.change_sets() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["graph", "dev"],
        pytest.param(["graph", "dev", "--format", "svg"], marks=pytest.mark.deep),
        ["local", "status"],
    ],
)
def test_a_result_that_is_not_whole_is_told_and_fails_where_it_is_all_there_is(
    tmp_path: Path, arguments: list[str]
) -> None:
    user = User.at(tmp_path)

    done = user.call("bash", "-c", '"$0" "$@" >/dev/full', sys.executable, "-m", "gatestack", *arguments)
    unread = user.call("bash", "-c", '"$0" "$@" | true', sys.executable, "-m", "gatestack", *arguments)

    if arguments[0] == "graph":
        assert (done.code, len(done.err.splitlines())) == (1, 1)
        assert done.err.startswith("error: stdout cannot be written: No space left on device")
    else:
        assert (done.code, done.err) == (0, "")
    assert (unread.code, unread.err) == (0, "")


# terminals


@pytest.mark.parametrize("more", only([{"NO_COLOR": ""}], [{}, {"NO_COLOR": ""}]))
def test_bars_have_colours_at_a_terminal_also_where_no_color_is_empty(
    desk: Desk, more: dict[str, str]
) -> None:
    goes_on(desk)

    code, written = at_a_terminal(desk, "deploy", "built", "--yes", **more)

    assert code == 0
    assert SGR.search(written)


NO_COLOURS: Sequence[tuple[list[str], dict[str, str]]] = (
    ([], {"NO_COLOR": "1"}),
    ([], {"NO_COLOR": "false"}),
    ([], {"NO_COLOR": "1", "FORCE_COLOR": "1"}),
    (["--no-color"], {"FORCE_COLOR": "3"}),
    ([], {"TERM": "dumb"}),
)
DRAWING = ("deploy", "plan", "destroy", "watch", "status")
QUICK = (NO_COLOURS[0], NO_COLOURS[4])


@pytest.mark.parametrize(
    ("name", "flags", "more"),
    [
        parameter(name, *way, quick=number == place and way in QUICK)
        for number, way in enumerate(NO_COLOURS)
        for place, name in enumerate(DRAWING)
    ],
)
def test_who_wants_no_colours_gets_none_in_any_command(
    desk: Desk, name: str, flags: list[str], more: dict[str, str]
) -> None:
    goes_on(desk)
    yes = ["--yes"] if name in {"deploy", "destroy"} else []

    code, written = at_a_terminal(desk, *flags, name, "built", *yes, **more)

    assert code == 0, written
    assert SGR.search(written) is None
    if more.get("TERM") == "dumb":
        assert "\x1b" not in written


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"FORCE_COLOR": "1"}, marks=pytest.mark.deep),
        {"FORCE_COLOR": "1", "TERM": "xterm"},
    ],
)
def test_nothing_is_drawn_into_a_pipe(desk: Desk, more: dict[str, str]) -> None:
    goes_on(desk)

    done = run(desk, forked(desk.folder, "deploy", "built", "--yes"), **more)

    assert (done.returncode, "CREATE_COMPLETE" in done.stderr) == (0, True), done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_what_aws_says_steers_no_terminal_on_which_bars_are_drawn(desk: Desk) -> None:
    goes_on(desk)
    reason = "no\x1b]0;owned\x07 [red]x[/red] \u202eevil\r::x AWS_SESSION_TOKEN=hunter2hunter2"
    for one in ("Key", "Thing", "One", "Two"):
        desk.aws.sandbox.faults.add(
            {"resources": [{"logical_id": one, "operation": "create", "reason": reason}]}
        )

    _, written = at_a_terminal(desk, "deploy", "built", "--yes")

    assert "\x1b]0" not in written
    assert "\x07" not in written
    assert "\u202e" not in written
    assert "hunter2" not in written


# machines on which nothing can be written


@pytest.mark.deep
def test_without_a_home_commands_work(tmp_path: Path) -> None:
    user = User.at(tmp_path)

    for home in ("env -u HOME", "env HOME=/dev/null/none"):
        done = user.call("bash", "-c", f'{home} "$0" "$@"', sys.executable, "-m", "gatestack", "lint", "dev")
        assert done.code == 0, done.err


def test_a_place_that_cannot_be_written_is_named_in_one_sentence(tmp_path: Path) -> None:
    user = User.at(tmp_path)
    (tmp_path / "taken").write_text("no folder")

    done = user.run("generate", "dev", "--out", "taken/built")

    assert done.code in {1, 2}
    (line,) = [line for line in done.err.splitlines() if not line.startswith("warning: ")]
    assert line == "Error: the templates cannot be written: taken/built: Not a directory"


@pytest.mark.parametrize("flags", [pytest.param([], marks=pytest.mark.deep), ["--force"]])
def test_a_disk_that_is_full_leaves_no_half_of_a_file(tmp_path: Path, flags: list[str]) -> None:
    user = User.at(tmp_path)
    path = tmp_path / "environments" / "new.yaml"
    if flags:
        path.write_text("as before")

    line = ["bash", "-c", 'ulimit -f 0; "$0" "$@"', sys.executable, "-m", "gatestack", "setup", "--yes"]
    done = user.call(*line, "--environment", "new", *flags)

    assert (done.code, "environments/new.yaml cannot be written" in done.err) == (2, True), done.err
    assert (path.read_text() if path.exists() else None) == ("as before" if flags else None)
    assert [one.name for one in path.parent.iterdir() if one.name.startswith(".")] == []


BROKEN = """
import sys
from gatestack import __main__ as main, telling

def broken(*_, **__):
    raise RuntimeError("Authorization: Basic c2VjcmV0c2VjcmV0")

main.cli.commands = {}
main.cli.main = broken
sys.exit(main.run([]))
"""


def test_the_report_of_an_unexpected_error_holds_no_secret(tmp_path: Path) -> None:
    user = User.at(tmp_path)

    done = user.call(sys.executable, "-c", BROKEN)

    report = tmp_path / ".gatestack" / "error.log"
    assert (done.code, "please report it with .gatestack/error.log" in done.err) == (1, True), done.err
    assert "RuntimeError" in report.read_text()
    assert "c2VjcmV0" not in report.read_text()
    assert report.stat().st_mode & 0o077 == 0


def test_an_unexpected_error_in_a_checkout_that_is_read_only_is_one_sentence(tmp_path: Path) -> None:
    user = User.at(tmp_path)
    (tmp_path / ".gatestack").write_text("in the way")

    done = user.call(sys.executable, "-c", BROKEN)

    assert done.code == 1
    assert len(done.err.splitlines()) == 1
    assert "unexpected RuntimeError in broken" in done.err
    assert "error.log cannot be written" in done.err
