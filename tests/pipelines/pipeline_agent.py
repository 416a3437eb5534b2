"""
An agent of Azure Pipelines, as far as ours need one: it runs a pipeline's steps with bash on this machine.

Each job has a folder of its own, empty but for what `checkout` brings, as on a hosted machine. What is said
by logging commands reaches later steps, jobs and stages, and nothing else does. Sources: Azure DevOps docs,
"Logging commands", "Define variables", "Specify conditions", "Expressions"; the task Bash@3 (bash.ts) for how
steps are run.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.command import forked_commands
from tests.forked_commands import Commands
from tests.pipelines.pipelines import FUNCTIONS, Expander, evaluate, jobs_of, name_of, needed, steps_of
from tests.places import ROOT

COMMIT = "4f0c2d9e5b7a1c3e8d6f0a2b4c6e8f0a1b3c5d7e"
_LOGGED = re.compile(r"##vso\[(?P<command>[\w.]+)(?: (?P<said>[^\]]*))?\](?P<data>.*)")
MACRO = re.compile(r"\$\(([A-Za-z_][\w.]*)\)")
"""A variable in the form that is replaced before a step runs; a shell command has a space in it."""
KNOWN_COMMANDS = {"task.setvariable", "task.logissue", "task.uploadsummary", "task.prependpath"}


@dataclass
class Step:
    """The result of a step."""

    stage: str
    job: str
    title: str
    script: str
    code: int
    said: str


@dataclass
class Job:
    """A job's data, and its result."""

    name: str
    folder: Path
    variables: dict[str, str]
    secrets: Mapping[str, str]
    result: str = "Succeeded"
    outputs: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)


@dataclass
class Ran:
    """The result of a run."""

    steps: list[Step] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)
    """Of stages, and of jobs as STAGE.JOB."""
    summaries: list[str] = field(default_factory=list)
    issues: list[str] = field(default_factory=list)

    @property
    def result(self) -> str:
        """Failed if any stage has."""
        return "Failed" if "Failed" in self.results.values() else "Succeeded"

    def said(self, script: str) -> str:
        """Return the output of the one step that ran *script*."""
        found = [step for step in self.steps if script in step.script]
        assert len(found) == 1, (script, [step.script for step in self.steps])
        return found[0].said

    def log(self) -> str:
        """Return the whole output, for a failing test's message."""
        return "\n".join(
            f"== {one.stage}/{one.job}: {one.title} -> {one.code}\n{one.said}" for one in self.steps
        )


@dataclass
class Agent:
    """Runs pipelines of the project in *project*; `run` is one run of one pipeline."""

    folder: Path
    project: Path
    """The content of `checkout: self`."""
    surroundings: Mapping[str, str]
    """The machine's own environment variables: AWS's endpoint."""
    groups: dict[str, Mapping[str, str]]
    """The library's variable groups."""
    oidc: str
    """The token endpoint for jobs."""
    programs: Path
    """Stand-ins, found before the machine's own programs."""
    commands: Commands | None = field(default_factory=forked_commands)
    """Runs the steps' gatestack commands; None: each is a new process, which receives signals."""
    reason: str = "Manual"
    provider: str = "TfsGit"
    """The repository's provider: Azure Repos."""
    token: str = "the-jobs-own-token"
    runs: int = 0

    def run(self, pipeline: str, **parameters: object) -> Ran:
        """Run *pipeline* (``azure-pipelines-alb.yml``) to its end."""
        self.runs += 1
        whole = Expander().pipeline(pipeline, parameters)
        return _Run(self, whole, self.folder / f"run-{self.runs}").to_its_end()

    def started(self, pipeline: str, words: str) -> tuple[str, Path, dict[str, str]]:
        """
        Return the file, the folder and the environment of the step with *words*, after all previous steps.
        """
        self.runs += 1
        run = _Run(self, Expander().pipeline(pipeline), self.folder / f"run-{self.runs}")
        for stage, job in jobs_of(run.pipeline):
            steps = steps_of(job)
            if place := [number for number, step in enumerate(steps) if words in step.get("bash", "")]:
                return run.up_to(stage["stage"], job, steps[: place[0]], steps[place[0]])
        raise AssertionError(words)


@dataclass
class _Run:
    agent: Agent
    pipeline: Mapping[str, Any]
    folder: Path
    ran: Ran = field(default_factory=Ran)
    outputs: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    """(stage, job) -> its outputs, by STEP.NAME."""

    def to_its_end(self) -> Ran:
        waits: dict[str, list[str]] = {}
        for stage in self.pipeline["stages"]:
            name = stage["stage"]
            waits[name] = needed(stage, list(waits), chained=True)
            results = {one: self.ran.results[one] for one in _all(waits, name)}
            self.ran.results[name] = (
                self._stage(stage, results) if self._goes(stage, results, "") else "Skipped"
            )
        return self.ran

    def up_to(
        self, stage: str, job: Mapping[str, Any], before: Sequence[Mapping[str, Any]], step: Mapping[str, Any]
    ) -> tuple[str, Path, dict[str, str]]:
        """Run the steps *before*, and return how *step* is to be run."""
        here = self._begun(stage, job)
        groups: list[int] = []
        for one in before:
            self._step(stage, here, one, groups)
        for group in groups:
            _end(group)
        return str(_written(here, step)), here.folder / "s", self.environment(here, step)

    def _stage(self, stage: Mapping[str, Any], _results: Mapping[str, str]) -> str:
        waits: dict[str, list[str]] = {}
        results: dict[str, str] = {}
        for job in stage["jobs"]:
            name = name_of(job)
            waits[name] = needed(job, list(waits), chained=False)
            before = {one: results[one] for one in _all(waits, name)}
            results[name] = (
                self._job(stage["stage"], job) if self._goes(job, before, stage["stage"]) else "Skipped"
            )
            self.ran.results[f"{stage['stage']}.{name}"] = results[name]
        return "Failed" if "Failed" in results.values() else "Succeeded"

    def _goes(self, item: Mapping[str, Any], before: Mapping[str, str], stage: str) -> bool:
        """Whether a stage, or a job of *stage*, runs after the results of those *before* it."""
        status: dict[str, Callable[..., object]] = {
            "succeeded": lambda: all(one == "Succeeded" for one in before.values()),
            "failed": lambda: "Failed" in before.values(),
            "succeededOrFailed": lambda: all(one != "Skipped" for one in before.values()),
            "canceled": lambda: False,
            "always": lambda: True,
        }
        names = self._names(before, stage)
        return bool(evaluate(item.get("condition", "succeeded()"), names, {**FUNCTIONS, **status}))

    def _names(self, before: Mapping[str, str], stage: str) -> Callable[[tuple[str, ...]], object]:
        def look(path: tuple[str, ...]) -> object:
            if path[0] == "variables":
                (group,) = (one["group"] for one in self.pipeline["variables"] if "group" in one)
                known = {"Build.Reason": self.agent.reason, "Build.Repository.Provider": self.agent.provider}
                return (known | self.agent.groups[group]).get(path[1], "")
            if path[0] == "dependencies" and path[2] == "result":
                return before[path[1]]
            if path[0] == "dependencies" and path[2] == "outputs" and not stage:
                job, _, rest = path[3].partition(".")
                return self.outputs[path[1], job].get(rest)
            if path[0] == "stageDependencies" and path[3] == "outputs" and stage:
                return self.outputs[path[1], path[2]].get(path[4])
            raise AssertionError(path)

        return look

    def _begun(self, stage: str, job: Mapping[str, Any]) -> Job:
        place = self.folder / f"{stage}.{name_of(job)}"
        for each in ("s", "a", "temp"):
            (place / each).mkdir(parents=True)
        here = Job(name_of(job), place, self._variables(place), {"System.AccessToken": self.agent.token})
        for variable, value in job.get("variables", {}).items():
            here.variables[variable] = self._at_runtime(stage, value)
        return here

    def _job(self, stage: str, job: Mapping[str, Any]) -> str:
        here = self._begun(stage, job)
        groups: list[int] = []
        try:
            for step in steps_of(job):
                self._step(stage, here, step, groups)
        finally:
            for group in groups:  # the agent kills what a job has left running
                _end(group)
        self.outputs[stage, here.name] = here.outputs
        return here.result

    def _at_runtime(self, stage: str, value: str) -> str:
        """Return the value of a job's variable: text, or the output of a job of the same stage."""
        found = re.fullmatch(r"\$\[\s*dependencies\.(\w+)\.outputs\['([\w.]+)'\]\s*\]", value)
        return self.outputs[stage, found[1]][found[2]] if found else value

    def _variables(self, place: Path) -> dict[str, str]:
        found = {
            "Agent.TempDirectory": str(place / "temp"),
            "Build.ArtifactStagingDirectory": str(place / "a"),
            "Build.BuildId": "7",
            "Build.Reason": self.agent.reason,
            "Build.SourceVersion": COMMIT,
            "Build.SourcesDirectory": str(place / "s"),
            "Pipeline.Workspace": str(place),
            "System.OidcRequestUri": self.agent.oidc,
        }
        for one in self.pipeline.get("variables", []):
            found |= self.agent.groups[one["group"]] if "group" in one else {one["name"]: one["value"]}
        return found

    def _step(self, stage: str, job: Job, step: Mapping[str, Any], groups: list[int]) -> None:
        status: dict[str, Callable[..., object]] = {
            "succeeded": lambda: job.result == "Succeeded",
            "succeededOrFailed": lambda: True,
        }
        if not evaluate(step.get("condition", "succeeded()"), lambda path: path, {**FUNCTIONS, **status}):
            return
        if "bash" in step:
            self._bash(stage, job, step, groups)
        elif step.get("checkout") == "self":
            check_out(self.agent.project, job.folder / "s", self.agent.commands)
        elif "publish" in step:
            source = Path(_filled(step["publish"], job))
            shutil.copytree(job.folder / "s" / source, self.folder / "artifacts" / step["artifact"])
        elif step.get("download") == "current":
            shutil.copytree(self.folder / "artifacts" / step["artifact"], job.folder / step["artifact"])
        else:
            assert step["task"] in {"UsePythonVersion@0", "AWSShellScript@1"}, step

    def _bash(self, stage: str, job: Job, step: Mapping[str, Any], groups: list[int]) -> None:
        file = _written(job, step)
        process = subprocess.Popen(
            ["bash", str(file)],
            cwd=job.folder / "s",
            env=self.environment(job, step),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        groups.append(process.pid)
        said, _ = process.communicate(timeout=180)
        assert "Traceback" not in said, said
        self.ran.steps.append(
            Step(stage, job.name, step["displayName"], file.read_text(), process.returncode, said)
        )
        for command in _LOGGED.finditer(said):
            self._logged(job, step.get("name", ""), command)
        if process.returncode:
            job.result = "Failed"

    def environment(self, job: Job, step: Mapping[str, Any]) -> dict[str, str]:
        """Return the environment of *step*'s process: variables that are not secret, and its `env`."""
        path = [*reversed(job.paths), str(self.agent.programs), os.environ["PATH"]]
        return {
            "PATH": ":".join(path),
            "HOME": str(job.folder),
            "LANG": "C.UTF-8",
            "TF_BUILD": "True",
            **self.agent.surroundings,
            **{name.upper().replace(".", "_"): value for name, value in job.variables.items()},
            **{name: _filled(value, job) for name, value in step.get("env", {}).items()},
        }

    def _logged(self, job: Job, step: str, command: re.Match[str]) -> None:
        name, data = command["command"], _plain(command["data"])
        said = dict(one.split("=", 1) for one in (command["said"] or "").split(";") if one)
        assert name in KNOWN_COMMANDS, command[0]
        if name == "task.setvariable":
            if said.get("isOutput", "").lower() == "true":
                job.variables[f"{step}.{said['variable']}"] = data
                job.outputs[f"{step}.{said['variable']}"] = data
            else:
                job.variables[said["variable"]] = data
        elif name == "task.prependpath":
            job.paths.append(data)
        elif name == "task.uploadsummary":
            self.ran.summaries.append(Path(data).read_text())
        else:
            self.ran.issues.append(f"{said['type']}: {data}")


def _written(job: Job, step: Mapping[str, Any]) -> Path:
    file = job.folder / "temp" / "script.sh"
    file.write_text(_filled(step["bash"], job))
    return file


def _all(waits: Mapping[str, Sequence[str]], name: str) -> set[str]:
    """Return the dependencies of *name*, also indirect ones."""
    direct = set(waits[name])
    return direct.union(*(_all(waits, one) for one in direct)) if direct else direct


def _filled(text: str, job: Job) -> str:
    known = {**job.variables, **job.secrets}
    missing = {name for name in MACRO.findall(text) if name not in known}
    assert not missing, f"no variable {missing} in {text}"
    return MACRO.sub(lambda found: known[found[1]], text)


def _plain(text: str) -> str:
    for escape, character in (("%0D", "\r"), ("%0A", "\n"), ("%3B", ";"), ("%5D", "]"), ("%AZP25", "%")):
        text = text.replace(escape, character)
    return text


def _end(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def check_out(project: Path, folder: Path, commands: Commands | None = None) -> None:
    """
    Bring the project to *folder*.

    `.venv` is there already: pip is not run. Its programs are those of the tests' own Python; with *commands*
    these run what is called gatestack.
    """
    shutil.copytree(project, folder, dirs_exist_ok=True)
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, module in (("gatestack", "-m gatestack"), ("python", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {module} "$@"\n')
        (programs / name).chmod(0o755)
    if commands:
        commands.program(programs / "gatestack")
    (folder / ".venv" / ".ready").touch()


def project_at(folder: Path) -> Path:
    """Copy the files of a gatestack repository, without the Python that .venv has installed."""
    for name in ("environments", "pipelines", "image", "locks"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    return folder
