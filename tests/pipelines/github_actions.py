"""
GitHub Actions, as far as our workflows use it: expressions, jobs by `needs` and `if`, steps run with bash.

`uses` is acted here (checkout, artifacts). What the runner says of a job's files is GitHub's documentation:
"Workflow syntax", "Expressions", "Workflow commands", "Contexts".
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.command import forked_commands
from tests.forked_commands import Commands
from tests.places import ROOT

FOLDER = ROOT / "pipelines" / "github-actions"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
CHECKED_OUT = ("Makefile", "environments", "image", "locks", "pipelines", "pyproject.toml", "security")
"""Files of a checkout that a job's steps use; the package itself is where `make ready` has put it."""

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(\|\||&&|==|!=|!|\(|\)|,)|([A-Za-z_][\w.-]*)|(\d+))")


def workflow(name: str) -> dict[str, Any]:
    """Return a workflow; every scalar is a string, so that `on` stays one."""
    found: dict[str, Any] = yaml.load((FOLDER / f"{name}.yml").read_text(), yaml.BaseLoader)  # noqa: S506
    return found


def steps(found: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every step with its job's name."""
    for job, content in found["jobs"].items():
        for step in content["steps"]:
            yield job, step


def value(text: str, contexts: Mapping[str, Any]) -> Any:
    """Return the value of the expression *text*; a missing context or key is null."""
    return _Reader(text, contexts).whole()


def filled(text: str, contexts: Mapping[str, Any]) -> str:
    """Return *text* with its ``${{ }}`` replaced."""

    def replaced(match: re.Match[str]) -> str:
        found = value(match[1], contexts)
        return {True: "true", False: "false", None: ""}.get(found, str(found))

    return _EXPRESSION.sub(replaced, text)


class _Reader:
    """A recursive descent through one expression."""

    def __init__(self, text: str, contexts: Mapping[str, Any]) -> None:
        self._contexts = contexts
        self._tokens: list[str] = []
        place, text = 0, text.strip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise ValueError(f"{text[place:]!r} of {text!r} is not understood")
            self._tokens.append(match[0].strip())
            place = match.end()

    def whole(self) -> Any:
        found = self._either()
        if self._tokens:
            raise ValueError(f"{self._tokens} is left over")
        return found

    def _either(self) -> Any:
        found = self._both()
        while self._taken("||"):
            other = self._both()
            found = found or other
        return found

    def _both(self) -> Any:
        found = self._compared()
        while self._taken("&&"):
            other = self._compared()
            found = other if found else found
        return found

    def _compared(self) -> Any:
        found = self._single()
        for sign in ("==", "!="):
            if self._taken(sign):
                same = _same(found, self._single())
                return same if sign == "==" else not same
        return found

    def _single(self) -> Any:
        token = self._tokens.pop(0)
        if token == "!":
            return not self._single()
        if token == "(":
            found = self._either()
            assert self._taken(")")
            return found
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token in {"true", "false", "null"} or token.isdigit():
            return {"true": True, "false": False, "null": None}.get(token, token)
        return self._called(token) if self._taken("(") else self._looked_up(token)

    def _called(self, name: str) -> Any:
        given = []
        while not self._taken(")"):
            given.append(self._either())
            self._taken(",")
        if name == "startsWith":
            return str(given[0]).startswith(str(given[1]))
        raise ValueError(f"our workflows have no use for {name}() so far")

    def _looked_up(self, name: str) -> Any:
        found: Any = self._contexts
        head, *rest = name.split(".")
        if head not in self._contexts:
            raise ValueError(f"there is no context {head}")
        for part in (head, *rest):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found

    def _taken(self, token: str) -> bool:
        if self._tokens[:1] != [token]:
            return False
        self._tokens.pop(0)
        return True


def _same(one: Any, other: Any) -> bool:
    """Compare as GitHub does: ignoring case, and null equals an empty text, 0 and false."""
    blank = {None: "", False: "false", True: "true"}
    if None in (one, other):
        return not (one or other)
    return str(blank.get(one, one)).lower() == str(blank.get(other, other)).lower()


@dataclass
class Job:
    """The result of one job."""

    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""


@dataclass
class Runner:
    """Runs a workflow's jobs, one after the other, each in a fresh checkout."""

    folder: Path
    variables: dict[str, str]
    """Of the machine: AWS's endpoint, the PATH."""
    contexts: dict[str, Any]
    """github, vars, inputs."""
    environments: dict[str, dict[str, str]] = field(default_factory=dict)
    """GitHub environment -> its variables."""
    entered: list[str] = field(default_factory=list)
    """GitHub environments whose approval was requested."""
    ran: list[str] = field(default_factory=list)
    """Every `run` that was started."""
    commands: Commands | None = field(default_factory=forked_commands)
    """Runs the steps' gatestack commands; None: each is a new process."""

    def run(self, found: Mapping[str, Any]) -> dict[str, Job]:
        """Run every job of a workflow; `needs` precede their dependants, as in our files."""
        done: dict[str, Job] = {}
        for name, job in found["jobs"].items():
            needed = [done[one] for one in _list(job.get("needs", []))]
            needs = {one: {"outputs": done[one].outputs, "result": done[one].result} for one in done}
            contexts = {**self.contexts, "needs": needs}
            wanted = all(one.result == "success" for one in needed)
            if not wanted or not value(job.get("if", "true"), contexts):
                done[name] = Job("skipped")
            else:
                done[name] = self._job(name, found, job, contexts)
        return done

    def _job(
        self, name: str, found: Mapping[str, Any], job: Mapping[str, Any], contexts: dict[str, Any]
    ) -> Job:
        work = self.folder / "jobs" / name
        work.mkdir(parents=True)
        if "environment" in job:
            environment = filled(job["environment"], contexts)
            self.entered.append(environment)
            contexts["vars"] = contexts["vars"] | self.environments.get(environment, {})
        declared = found.get("env", {}) | job.get("env", {})
        running = _Running(self, work, {key: filled(text, contexts) for key, text in declared.items()})
        if job.get("permissions", found["permissions"]).get("id-token") != "write":
            running.hidden |= {"ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"}
        try:
            good = all(running.step(step, contexts) for step in job["steps"])
        finally:
            running.end()
        outputs = {
            key: filled(text, contexts | {"steps": running.outputs})
            for key, text in job.get("outputs", {}).items()
        }
        summary = running.file("GITHUB_STEP_SUMMARY").read_text()
        return Job("success" if good else "failure", outputs, running.log, summary)


class _Running:
    """One job in progress."""

    def __init__(self, runner: Runner, work: Path, declared: dict[str, str]) -> None:
        self._runner = runner
        self._work = work
        self._checkout = work / "checkout"
        self._declared = declared
        self._groups: list[int] = []
        self.hidden: set[str] = set()
        self.outputs: dict[str, Any] = {}
        self.log = ""
        for name in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"):
            self.file(name).touch()

    def file(self, name: str) -> Path:
        return self._work / name.lower()

    def step(self, step: Mapping[str, Any], contexts: Mapping[str, Any]) -> bool:
        """Run one step; returns whether it succeeded."""
        known = {**contexts, "steps": self.outputs}
        if not value(step.get("if", "true"), known):
            return True
        if "uses" in step:
            self._use(step["uses"].partition("@")[0], step.get("with", {}), known)
            return True
        more = {key: filled(text, known) for key, text in step.get("env", {}).items()}
        self._runner.ran.append(filled(step["run"], known))
        return self._bash(filled(step["run"], known), more, step.get("id", ""))

    def _use(self, action: str, given: Mapping[str, str], contexts: Mapping[str, Any]) -> None:
        artifacts = self._runner.folder / "artifacts"
        given = {key: filled(text, contexts) for key, text in given.items()}
        if action == "actions/checkout":
            self._check_out()
        elif action == "actions/upload-artifact":
            shutil.copytree(self._checkout / given["path"], artifacts / given["name"])
        elif action == "actions/download-artifact":
            shutil.copytree(artifacts / given["name"], self._checkout / given["path"], dirs_exist_ok=True)
        else:
            raise ValueError(f"nobody has said here what {action} does")

    def _check_out(self) -> None:
        """Create a checkout with an up-to-date .venv, which is not set up again."""
        self._checkout.mkdir()
        for name in CHECKED_OUT:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, self._checkout / name)
        os.utime(self._checkout / "pyproject.toml", (0, 0))
        installed = Path(sys.executable).parent.parent
        if not (commands := self._runner.commands):
            (self._checkout / ".venv").symlink_to(installed)
            return
        (self._checkout / ".venv" / "bin").mkdir(parents=True)
        commands.program(self._checkout / ".venv" / "bin" / "gatestack")
        for name in (".ready", ".dev"):
            (self._checkout / ".venv" / name).touch()

    def _bash(self, text: str, more: dict[str, str], name: str) -> bool:
        output = self.file("GITHUB_OUTPUT")
        output.write_text("")
        script = self._work / "step.sh"
        script.write_text(text)
        process = subprocess.Popen(  # the shell that `shell: bash` means
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            cwd=self._checkout,
            env=self._environment(more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._groups.append(process.pid)
        said, _ = process.communicate(timeout=180)
        self.log += f"$ {text}\n{said}"
        self.outputs[name] = {"outputs": _pairs(output.read_text())}
        return process.returncode == 0

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        github = self._runner.contexts["github"]
        path = [*reversed(self.file("GITHUB_PATH").read_text().split()), self._runner.variables["PATH"]]
        own = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(self.file("GITHUB_OUTPUT")),
            "GITHUB_ENV": str(self.file("GITHUB_ENV")),
            "GITHUB_PATH": str(self.file("GITHUB_PATH")),
            "GITHUB_STEP_SUMMARY": str(self.file("GITHUB_STEP_SUMMARY")),
            "GITHUB_REF_NAME": github["ref"].rpartition("/")[2],
            "GITHUB_SHA": github["sha"],
            "HOME": str(self._work),
            "RUNNER_TEMP": str(self._work),
        }
        said = _pairs(self.file("GITHUB_ENV").read_text())
        machine = self._runner.variables | own | self._declared | said | more | {"PATH": ":".join(path)}
        return {name: text for name, text in machine.items() if name not in self.hidden}

    def end(self) -> None:
        """Kill what the job's steps have left running, as the runner does."""
        for group in self._groups:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                continue


def _pairs(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def _list(found: str | list[str]) -> list[str]:
    return [found] if isinstance(found, str) else found
