"""What the log of a rotation function says about its steps."""

import json

from deployer.day2.rotation import Record
from deployer.day2.rotation_log import pattern, read

VERSION = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
START = "START RequestId: 1 Version: $LATEST\n"


def line(step: str, outcome: str, error: str | None = None, of: str = "0a1b2c3d") -> str:
    about = {"secret": "dev-litellm/master-key", "token": of, "step": step, "outcome": outcome}
    return json.dumps(about | ({"error": error} if error else {})) + "\n"


def test_our_own_lines_are_read_and_lambdas_are_not() -> None:
    lines = [START, line("createSecret", "done"), "END RequestId: 1\n", line("setSecret", "failed", "a\n b")]

    assert read(lines, VERSION) == (Record("createSecret", "done"), Record("setSecret", "failed", "a b"))


def test_other_rotations_and_other_json_are_not_ours() -> None:
    lines = [line("createSecret", "done", of="ffffffff"), '{"token": "0a1b2c3d"}', "{no json", '{"a": 1}']

    assert read(lines, VERSION) == ()


def test_a_crash_belongs_to_the_step_that_is_due_and_its_text_is_not_shown() -> None:
    crash = "[ERROR] Runtime.ImportModuleError: Unable to import sk-secret\nTraceback"

    assert read([START, crash], VERSION) == (Record("createSecret", "failed", "Runtime.ImportModuleError"),)
    late = "2026-01-01T00:00:00Z 1 Task timed out after 60.00 seconds\n"
    assert read([line("createSecret", "done"), late], VERSION)[1] == Record(
        "setSecret", "failed", "Task timed out after 60.00 seconds"
    )


def test_the_error_that_lambda_logs_after_our_own_line_is_the_same_failure() -> None:
    lines = [line("testSecret", "failed", "refused"), "[ERROR] RotationError: refused"]

    assert read(lines, VERSION) == (Record("testSecret", "failed", "refused"),)


def test_a_crash_that_is_repeated_counts_each_time() -> None:
    crash = "[ERROR] Runtime.ImportModuleError: no"

    assert (
        read([crash, START, crash], VERSION)
        == (Record("createSecret", "failed", "Runtime.ImportModuleError"),) * 2
    )


def test_the_filter_asks_for_nothing_of_the_version_but_its_beginning() -> None:
    assert pattern(VERSION).split(" ")[0] == '?"0a1b2c3d"'
