"""Entry point: runs one command, and turns every outcome into an exit code and at most one clear message."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import click

from deployer.errors import DeployError, Interrupted
from deployer.scrub import remember, said
from gatestack import gate, telling
from gatestack.cli import cli

STATE = Path(".gatestack")
"""Where this checkout keeps what is not committed: the report of an unexpected error."""


LOGIN = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
)
"""Variables that hold secrets before any login (botocore, credentials.py)."""


def main() -> NoReturn:
    """
    Run the command line and exit with its code.

    At once: output is flushed and threads have ended, and freeing every object first would only take time.
    """
    _fill_descriptors()
    _make_haste()
    os._exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; an expected failure is one message on stderr, an unexpected one a report."""
    remember(*(os.environ.get(name) for name in LOGIN))
    with gate.closed():
        return _run(arguments)


def _run(arguments: list[str]) -> int:
    try:
        code = _ran(arguments)
    except click.ClickException as error:
        telling.refused(error)
        return error.exit_code
    except DeployError as error:
        telling.error(str(error))
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        if isinstance(error, click.Abort) and error.__cause__ is None and sys.stdin.isatty():
            click.echo(err=True)  # at a prompt the cursor is behind ^C; elsewhere click has ended the line
        telling.error("interrupted", "interrupted")
        return Interrupted.exit_code
    except OSError as error:
        return _no_file(error)
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback reaches a user
        return _unexpected(error)
    return code if isinstance(code, int) else 0


def _ran(arguments: list[str]) -> object:
    """Run the command, or answer the shell that wants to complete one; returns the exit code."""
    if instruction := os.environ.get("_GATESTACK_COMPLETE"):
        from gatestack.completion import answer  # noqa: PLC0415 - only for the shell

        return answer(instruction)
    return cli.main(arguments, prog_name="gatestack", standalone_mode=False)


def _make_haste() -> None:
    """
    Disable what a short-lived process does not need.

    Garbage collection among freshly loaded modules finds none. The module of pydantic that asks every
    installed package whether it extends pydantic takes a tenth of `generate`; no extension is wanted.
    """
    gc.set_threshold(100_000, 50, 50)
    none = ModuleType("pydantic.plugin._loader")
    none.get_plugins = tuple  # type: ignore[attr-defined]
    sys.modules.setdefault(none.__name__, none)


def _fill_descriptors() -> None:
    """Open closed ones of stdin, stdout and stderr: else a connection could get one of their descriptors."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003 - the lowest that is free
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - for the whole process


def _no_file(error: OSError) -> int:
    """Report in a line which file or folder cannot be used; an error without one is unexpected."""
    if error.filename is None:
        return _unexpected(error)
    telling.error(f"{error.filename}: {error.strerror}: a command needs to read or write it")
    return 1


def _unexpected(error: Exception) -> int:
    """Report an unexpected error; without a place for a report, tell where it happened."""
    import traceback  # noqa: PLC0415 - nothing else needs it

    from generator.foreign import Foreign, private_folder, write_private  # noqa: PLC0415 - as above

    report = STATE / "error.log"
    what = f"unexpected {type(error).__name__}"
    try:
        text = gate.told("".join(traceback.format_exception(error)))
        private_folder(STATE)
        write_private(report, text.encode())
    except (OSError, Foreign) as problem:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"in {last.name}, {Path(last.filename).name} line {last.lineno}"
        told = f"{what} {place}; please report it ({report} cannot be written: {said(problem)})"
    else:
        told = f"{what}; please report it with {report}"
    telling.error(told, f"gatestack: {told}")
    return 1


if __name__ == "__main__":
    main()
