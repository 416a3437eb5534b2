"""Runs the commands as a user does: another process, an empty HOME, a folder with environment files."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.key import Key

ROOT = Path(__file__).parent.parent
KEY = Key.new()
"""Of every sandbox that a test makes; always imported from here, so that there is one."""
LOGIN = KEY.variables
CREDENTIALS = {"aws_access_key_id": KEY.access_key_id, "aws_secret_access_key": KEY.secret_access_key}


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class User:
    """Somebody with a folder of their own and nothing else."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, folder: Path, **variables: str) -> "User":
        """Give the shipped environment files to a new user at *folder*."""
        shutil.copytree(ROOT / "environments", folder / "environments")
        return cls(folder, variables)

    def run(self, *arguments: str, stdin: str | None = None) -> Done:
        """Run gatestack; nobody sits at a terminal."""
        return self.call(sys.executable, "-m", "gatestack", *arguments, stdin=stdin)

    def at_a_terminal(self, typed: str, *arguments: str) -> Done:
        """Run gatestack with a terminal as stdin, on which *typed* is typed."""
        theirs, ours = os.openpty()
        os.write(theirs, typed.encode())
        try:
            return self.call(sys.executable, "-m", "gatestack", *arguments, stdin=ours)
        finally:
            os.close(theirs)
            os.close(ours)

    def call(self, *command: str, stdin: str | int | None = None) -> Done:
        """Run any command in the user's folder and environment; *stdin*: its text, or a file descriptor."""
        inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=inherited | {"HOME": str(self.folder), "PYTHONPATH": str(ROOT)} | self.variables,
            **({"stdin": stdin} if isinstance(stdin, int) else {"input": stdin or ""}),
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
