"""What is drawn on terminals of any width: rows that fit, stand once, leave nothing behind after Ctrl-C."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

import pytest

from generator.manifest import Manifest, write
from tests.covering import only
from tests.deployer.fakes import in_a_folder, manifest
from tests.deployer.run.test_signals import Desk
from tests.gatestack.terminal import Terminal, forked
from tests.gatestack.test_streams import command, goes_on, variables
from tests.sandbox.sandbox_fakes import thing, world
from tests.sandbox.sandbox_wire import REGION, Line, imported, made_of

LONG = "network-of-frankfurt-and-of-nobody-else"
"""As long as a short name may be, nearly."""
ROW = re.compile(r"(sec|net|web)\S* .*\d/[\d?]")
STEERED = re.compile(r"\x1b\[\??[\d;]*[A-Za-z]")
COUNT = re.compile(r"\d+/[\d?]+")
KEY = "TheEncryptionKeyOfEverythingThatThisEnvironmentKeeps"


def with_long_names() -> Manifest:
    return in_a_folder(
        manifest(
            made_of("security", {KEY: thing()}, {"Arn": {"Fn::GetAtt": f"{KEY}.Arn"}}),
            made_of(LONG, {"One": thing(), "Two": thing(Value={"Ref": "One"})}),
            made_of("web", {"A": thing(Value=imported("dev-security-Arn"))}),
            region=REGION,
        )
    )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with world() as box:
        made = Desk(Line(box), tmp_path)
        rmtree(tmp_path / "built")
        write(with_long_names(), tmp_path / "built")
        yield made


def at(desk: Desk, width: int, *arguments: str, **more: str) -> Terminal:
    own = variables(desk, TERM="xterm-256color", **more)
    return Terminal(forked(desk.folder, *arguments), desk.folder, own, width)


def with_ctrl_c(desk: Desk, width: int, *arguments: str) -> Terminal:
    """Return a terminal as `at` does, whose Ctrl-C the command gets."""
    return Terminal(command(*arguments), desk.folder, variables(desk, TERM="xterm-256color"), width)


def is_steady(terminal: Terminal) -> bool:
    """Whether each stack has one row above the result, and none was ever longer than the terminal."""
    lines = terminal.screen.lines
    above = lines[: lines.index("{")]
    begun = [found[1] for line in above if (found := ROW.match(line))]
    too_long = [line for line in terminal.screen.wrapped if ROW.match(line)]
    assert (begun, too_long) == (["sec", "net", "web"], []), "\n".join(lines)
    return True


RECORDED = {
    200: """
security                                ━━━━━━━━━━━━━━━━━━━━━━━━     1/1 0:00:00         CREATE_COMPLETE
network-of-frankfurt-and-of-nobody-else ━━━━━━━━━━━━━━━━━━━━━━━━     2/2 0:00:00         CREATE_COMPLETE
web                                     ━━━━━━━━━━━━━━━━━━━━━━━━     1/1 0:00:00         CREATE_COMPLETE
""",
    120: """
security                               ━━━━━━━━━━━━━━━━━━━━━━━━     1/1 0:00:00         CREATE_COMPLETE
network-of-frankfurt-and-of-nobody-el… ━━━━━━━━━━━━━━━━━━━━━━━━     2/2 0:00:00         CREATE_COMPLETE
web                                    ━━━━━━━━━━━━━━━━━━━━━━━━     1/1 0:00:00         CREATE_COMPLETE
""",
    80: """
security                  ━━━━━━━━     1/1 0:00:00 CREATE_COMPLETE
network-of-frankfurt-and… ━━━━━━━━     2/2 0:00:00 CREATE_COMPLETE
web                       ━━━━━━━━     1/1 0:00:00 CREATE_COMPLETE
""",
    60: """
security               1/1 0:00:00 CREATE_COMPLETE
network-of-frankf…     2/2 0:00:00 CREATE_COMPLETE
web                    1/1 0:00:00 CREATE_COMPLETE
""",
    40: """
security        1/1 CREATE_COMPLETE
network-of…     2/2 CREATE_COMPLETE
web             1/1 CREATE_COMPLETE
""",
    20: """
secu…     1/1 …
netw…     2/2 …
web       1/1 …
""",
}
"""Width of the terminal -> what stands above the result at the end, with all times 0."""


LAID_OUT = {120, 60, 40, 20}
"""Each with other columns or a name that is cut; 200 has more room, 80 has bars as 120."""


@pytest.mark.parametrize("width", only(LAID_OUT, RECORDED))
def test_each_stack_has_one_row_that_fits_and_stays_where_it_is(desk: Desk, width: int) -> None:
    goes_on(desk)

    with at(desk, width, "deploy", "built", "--yes", "--format", "json") as terminal:
        code = terminal.end()

    assert (code, is_steady(terminal)) == (0, True)
    above = terminal.screen.lines[: terminal.screen.lines.index("{")]
    rows = [re.sub(r"\d:\d\d:\d\d", "0:00:00", line.rstrip()) for line in above if ROW.match(line)]
    assert rows == RECORDED[width].strip().splitlines(), "\n".join(rows)
    drawn = [line for line in re.split(r"[\r\n]+", STEERED.sub("", terminal.written)) if ROW.match(line)]
    assert len({found.end() for line in drawn if (found := COUNT.search(line))}) == 1, "\n".join(drawn)
    assert terminal.written.rindex("\x1b[?25h") > terminal.written.rindex("\x1b[?25l"), "the cursor is back"


@pytest.mark.parametrize("columns", only({"500"}, ["0", "500"]))
def test_a_terminal_knows_its_width_better_than_a_variable(desk: Desk, columns: str) -> None:
    goes_on(desk)

    with at(desk, 80, "deploy", "built", "--yes", "--format", "json", COLUMNS=columns) as terminal:
        code = terminal.end()

    assert (code, is_steady(terminal)) == (0, True)


@pytest.mark.parametrize(
    ("width", "times"),
    [(80, 1), (40, 2), *(pytest.param(*one, marks=pytest.mark.deep) for one in ((40, 1), (80, 2)))],
)
def test_ctrl_c_leaves_no_row_behind(desk: Desk, width: int, times: int) -> None:
    desk.calls.then["DescribeChangeSet", 4] = lambda: desk.aws.sandbox.advance(5)

    with with_ctrl_c(desk, width, "deploy", "built", "--yes", "--format", "json") as terminal:
        terminal.until(lambda written: "CREATE_IN_" in written)
        for _ in range(times):
            terminal.type("\x03")
            before = len(terminal.written)
            terminal.until(lambda written, before=before: "AWS continues" in written[before:])  # type: ignore[misc]
        desk.aws.sandbox.finish()
        code = terminal.end()

    assert (code, is_steady(terminal)) == (130, True)
    assert "^C" not in "".join(terminal.screen.lines)


@pytest.mark.parametrize("width", [80, pytest.param(40, marks=pytest.mark.deep)])
def test_who_watches_sees_each_stack_in_one_row(desk: Desk, width: int) -> None:
    desk.calls.then["DescribeChangeSet", 4] = lambda: desk.aws.sandbox.advance(5)
    with desk.command("deploy", "built", "--yes") as run:
        run.until("security", "CREATE_IN_PROGRESS")
        with at(desk, width, "watch", "built", "--format", "json") as terminal:
            terminal.until(lambda written: "CREATE_IN_" in written)
            desk.aws.sandbox.finish()
            goes_on(desk)
            code = terminal.end()
        run.end()

    assert (code, is_steady(terminal)) == (0, True)


def test_ctrl_c_at_a_question_ends_its_line(desk: Desk) -> None:
    with with_ctrl_c(desk, 80, "destroy", "built") as terminal:
        terminal.until(lambda written: "to go on" in written)
        terminal.asleep()
        terminal.type("\x03")
        code = terminal.end()

    last = [line.rstrip() for line in terminal.screen.lines if line.strip()][-2:]
    assert (code, last) == (130, ["Type the environment's name to go on: ^C", "interrupted"])
