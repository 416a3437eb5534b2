"""Runs the commands as a user does: another process, an empty HOME, a folder with environment files."""

import atexit
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from sandbox.key import Key
from tests.forked_commands import Commands, Ran
from tests.places import ROOT

KEY = Key.new()
"""The key of every sandbox of the tests; always imported from here, so that there is one."""
LOGIN = KEY.variables
METADATA = "169.254.169.254"
"""Of EC2's instances, which botocore asks last for credentials: no command of a test gets there."""
CREDENTIALS = {"aws_access_key_id": KEY.access_key_id, "aws_secret_access_key": KEY.secret_access_key}


TODAY = "2026-11-28"
"""The date for every command of a test: results must not depend on the current day."""


@cache
def forked_commands() -> Commands:
    """Return the process that runs this process's commands; it ends with this one."""
    running = Commands(ROOT / "nobody")
    atexit.register(running.close)
    return running


LINTED = "LINT_FINDINGS_OF_THIS_RUN"
"""Variable by which the processes of a test run share a folder (tests/conftest.py)."""


@cache
def lint_findings() -> str:
    """
    Return a folder for XDG_CACHE_HOME: cfn-lint checks each template once in a run of the tests.

    A cache entry's name covers the template and everything else it depends on (`generator.kept_findings`).
    """
    return os.environ[LINTED]


OTHER_DATABASE = """
extend:
  patches:
    - stack: database
      resource: Database
      path: Properties.DBName
      set: other
      reason: another one takes its place
"""
"""Lines of an environment's file that replace its database, which needs a consent."""


@dataclass(frozen=True)
class Done:
    """The result of a command."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class User:
    """A user with a folder and nothing else."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, folder: Path, **variables: str) -> "User":
        """Give the shipped environment files to a new user at *folder*."""
        shutil.copytree(ROOT / "environments", folder / "environments")
        return cls(folder, variables)

    def need_keys(self) -> None:
        """Let `local` use the usual providers, whose keys it then needs, and no model of its own."""
        path = self.folder / "environments" / "local.yaml"
        text, found, _ = path.read_text().partition("  providers: []")
        assert found, "local.yaml names providers by now"
        path.write_text(text)

    def run(self, *arguments: str, stdin: str | None = None) -> Done:
        """
        Run gatestack without a terminal.

        In a fork of a process that has loaded everything; beside another command, in a new process.
        """
        forked = forked_commands()
        if not forked.free.acquire(blocking=False):
            return self.alone(*arguments, stdin=stdin)
        try:
            return self._done(forked.run(self.folder, self.environment, *arguments, stdin=stdin or ""))
        finally:
            forked.free.release()

    def _done(self, ran: Ran) -> Done:
        assert "Traceback" not in ran.err, ran.err
        assert set(ran.strayed) <= {METADATA}, ran.strayed
        return Done(ran.code, ran.out, ran.err)

    def alone(self, *arguments: str, stdin: str | None = None) -> Done:
        """Run gatestack as `run` does, in a new process."""
        return self.call(sys.executable, "-m", "gatestack", *arguments, stdin=stdin)

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of the user's processes."""
        inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        own = {"HOME": str(self.folder), "PYTHONPATH": str(ROOT), "GATESTACK_TODAY": TODAY}
        own["XDG_CACHE_HOME"] = lint_findings()
        return inherited | own | self.variables

    def at_a_terminal(self, typed: str, *arguments: str) -> Done:
        """Run gatestack as `run` does, with a terminal as stdin, on which *typed* is entered."""
        theirs, ours = os.openpty()
        os.write(theirs, typed.encode())
        forked = forked_commands()
        try:
            with forked.free:
                return self._done(
                    forked.run(self.folder, self.environment, *arguments, terminal=os.ttyname(ours))
                )
        finally:
            os.close(theirs)
            os.close(ours)

    def call(self, *command: str, stdin: str | None = None) -> Done:
        """Run any command in the user's folder and environment."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            input=stdin or "",
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def edit(self, name: str, old: str, new: str) -> None:
        """Change one place of an environment file."""
        path = self.folder / "environments" / f"{name}.yaml"
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path.name}"
        path.write_text(text.replace(old, new))
