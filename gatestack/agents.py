"""
Logging commands for the CI agent that runs gatestack, which agents read from the log. Pure: text in, one
line out.

Sources: Azure Pipelines docs, "Logging commands", escapes as in azure-pipelines-task-lib (taskcommand.ts);
GitHub docs, "Workflow commands for GitHub Actions", its escapes as in actions/toolkit (core/src/command.ts).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from deployer.progress import StackOutput


Kind = Literal["error", "warning"]

_COMMAND = r"(?i)##(?=(?:vso)?\[)"
"""Start of a command, anywhere in a line: both agents know ``##[``, Azure's ``##vso[`` as well."""
_GITHUB_COMMAND = (
    "(?P<before>(?:^|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029])[\\s\u180e\u200b\u2060\ufeff]*):(?=:)"
)
"""
Start of GitHub's other commands: at the start of a line, after any white space.

The runner splits lines at carriage returns as well, and strips Unicode white space.
"""

_IN_A_FILE = r"(?P<path>\S+\.ya?ml):(?P<line>\d+): (?P<text>.*)"
"""Start of an environment file's problems: ``environments/dev.yaml:12: ...``."""


class Issue(NamedTuple):
    """One line that somebody must read, and where it comes from if that is a file."""

    kind: Kind
    text: str
    path: str = ""
    line: str = ""


def issues(kind: Kind, text: str) -> tuple[Issue, ...]:
    """Return *text* as issues: one for each of its lines, because a command is one line."""
    return tuple(_issue(kind, line) for line in text.splitlines() if line.strip())


def _issue(kind: Kind, line: str) -> Issue:
    found = re.fullmatch(_IN_A_FILE, line)
    if not found:
        return Issue(kind, line.strip())
    return Issue(kind, found["text"], found["path"], found["line"])


def names(outputs: Iterable[StackOutput]) -> dict[str, str]:
    """
    Return *outputs* by the names they get as variables: ``alb_Url`` for the output Url of the stack alb.

    A dot would do in Azure Pipelines, and GitHub refuses it: letters, digits, ``_`` and ``-`` do in both.
    """
    return {re.sub(r"[^A-Za-z0-9_]", "_", f"{one.stack}_{one.key}"): one.value for one in outputs}


def harmless(text: str) -> str:
    """
    Return *text* without anything that an agent would read as a command.

    A reason from AWS may quote text of others.
    """
    return re.sub(_GITHUB_COMMAND, r"\g<before>: ", re.sub(_COMMAND, "## ", text))


def harmless_json(text: str) -> str:
    """Return JSON of the same data without commands; *text* is JSON, in which no line begins with a colon."""
    return re.sub(_COMMAND, r"\\u0023#", text)


class Azure(NamedTuple):
    """
    An agent of Azure Pipelines.

    It looks for a command anywhere in a line, on stdout; a step's stderr reaches it too, because the tasks
    Bash@3 and CmdLine@2, which `bash:` and `script:` are, pass it on to theirs.
    """

    folder: str = ""
    """Its own for this job (Agent.TempDirectory), emptied after what was attached has been uploaded."""

    def issue(self, one: Issue) -> str:
        """Return the command that puts *one* on the run's page."""
        place = {"sourcepath": one.path, "linenumber": one.line}
        return _vso("task.logissue", one.text, type=one.kind, **place)

    def variable(self, name: str, value: str) -> str:
        """
        Return the command for a variable that later steps, jobs and stages read as an output of this step.
        """
        return _vso("task.setvariable", value, variable=name, isOutput="true")

    def summary(self, path: str) -> str:
        """Return the command that attaches the Markdown file at the absolute *path* to the run."""
        return _vso("task.uploadsummary", path)


class GitHub(NamedTuple):
    """A runner of GitHub Actions: issues are read from stdout and stderr, the rest from files."""

    outputs: str = ""
    """The file of this step's outputs (GITHUB_OUTPUT)."""
    summary: str = ""
    """The file of this step's summary (GITHUB_STEP_SUMMARY)."""

    def issue(self, one: Issue) -> str:
        """Return the command that annotates the run, and the file if there is one."""
        places = {"file": one.path, "line": one.line}
        said = ",".join(f"{name}={_github_property(value)}" for name, value in places.items() if value)
        return f"::{one.kind}{f' {said}' if said else ''}::{_github_data(one.text)}"

    def variable(self, name: str, value: str) -> str:
        """Return the lines for the file of outputs; several lines end with a delimiter."""
        if "\n" not in value and "\r" not in value:
            return f"{name}={value}"
        mark = "END"
        while mark in value:
            mark += "_"
        return f"{name}<<{mark}\n{value}\n{mark}"


Agent = Azure | GitHub


def agent(variables: Mapping[str, str]) -> Agent | None:
    """Return the agent that runs this process, by its *variables*; None: no agent."""
    if variables.get("TF_BUILD", "").lower() == "true":
        return Azure(variables.get("AGENT_TEMPDIRECTORY", ""))
    if variables.get("GITHUB_ACTIONS", "").lower() == "true":
        return GitHub(variables.get("GITHUB_OUTPUT", ""), variables.get("GITHUB_STEP_SUMMARY", ""))
    return None


def run_url(variables: Mapping[str, str]) -> str:
    """Return the address of the run's page, by the agent's *variables*; empty where it is not known."""
    if isinstance(agent(variables), Azure):
        parts = (variables.get("SYSTEM_COLLECTIONURI", ""), quote(variables.get("SYSTEM_TEAMPROJECTID", "")))
        url = f"{parts[0].rstrip('/')}/{parts[1]}/_build/results?buildId={variables.get('BUILD_BUILDID', '')}"
    else:
        parts = (variables.get("GITHUB_SERVER_URL", ""), variables.get("GITHUB_REPOSITORY", ""))
        url = f"{parts[0]}/{parts[1]}/actions/runs/{variables.get('GITHUB_RUN_ID', '')}"
    return url if all(parts) and re.fullmatch(r"https://[^\s()<>\"|]+\d", url) else ""


def root(variables: Mapping[str, str], here: Path) -> Path:
    """Return the folder of the repository that the agent has checked out; *here* where that is elsewhere."""
    named = variables.get("GITHUB_WORKSPACE") or variables.get("BUILD_SOURCESDIRECTORY") or ""
    return Path(named) if named and here.is_relative_to(named) else here


def _vso(command: str, data: str, **properties: str) -> str:
    said = ";".join(f"{name}={_vso_property(value)}" for name, value in properties.items() if value)
    return f"##vso[{command}{f' {said}' if said else ''}]{_vso_data(data)}"


def _vso_data(text: str) -> str:
    return text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _vso_property(text: str) -> str:
    return _vso_data(text).replace("]", "%5D").replace(";", "%3B")


def _github_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_property(text: str) -> str:
    return _github_data(text).replace(":", "%3A").replace(",", "%2C")
