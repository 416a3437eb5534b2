"""`generate` of dev's five stacks beside other tools that make the very same templates."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench import cdk_app, cfngin, peers, plain, sceptre_project
from bench.measure import Command, RunError, in_turn, run
from bench.peers import HOME, NODE, PYTHON, ROOT, AbsentError
from bench.startup import GATESTACK
from bench.table import Row, compared, missing, seconds, within

RUNS, RUNS_OF_SLOW = 9, 3
STACKS = ("security", "network", "alb", "database", "service")
FOLDER = HOME / "templates"
OURS = Command([GATESTACK, "generate", "dev", "--out", FOLDER], ROOT)
Templates = Mapping[str, Mapping[str, Any]]


def rows() -> Iterator[Row]:
    """Measure it."""
    run(OURS)
    templates = plain.read(FOLDER, STACKS)
    pair = in_turn(OURS, _plain(templates), RUNS)
    figures = seconds(pair.ours.seconds), f"plain troposphere: {seconds(pair.theirs.seconds)}", pair.ratio
    yield within("generate five stacks", *figures, 2.0)
    for name, made, times in (
        (f"sceptre generate, {PYTHON['sceptre'][0]}", _sceptre, RUNS),
        (f"CFNgin's dump, {PYTHON['runway'][0]}", _cfngin, RUNS),
        (f"CDK app in TypeScript, {NODE[0]}", _typescript, RUNS_OF_SLOW),
        (f"CDK app in Python, {PYTHON['cdk-python'][0]}", _python, RUNS_OF_SLOW),
    ):
        yield _beside(name, made, templates, times)


def _beside(name: str, made: Callable[[Templates], Command], templates: Templates, times: int) -> Row:
    try:
        pair = in_turn(OURS, made(templates), times)
    except (AbsentError, RunError, OSError) as error:
        return missing(f"generate, beside {name}", error)
    beside = f"{name}: {seconds(pair.theirs.seconds)}"
    return compared("generate five stacks", seconds(pair.ours.seconds), beside, pair.ratio)


def _plain(templates: Templates) -> Command:
    folder = _folder("plain")
    (folder / "plain.py").write_text(plain.script(templates), encoding="utf-8")
    command = Command([sys.executable, "plain.py"], folder)
    run(command)
    for name in STACKS:
        if (folder / f"{name}.json").read_bytes() != (FOLDER / f"{name}.json").read_bytes():
            raise RunError(f"the plain script's {name} is another template")
    return command


def _sceptre(templates: Templates) -> Command:
    sceptre = peers.python("sceptre") / "sceptre"
    folder = _folder("sceptre-project")
    sceptre_project.write(templates, folder, "dev")
    return Command([sceptre, "generate", "dev"], folder)


def _cfngin(templates: Templates) -> Command:
    python = peers.python("runway") / "python"
    folder = _folder("cfngin-project")
    cfngin.write(templates, folder)
    return Command([python, "dump.py"], folder)


def _typescript(templates: Templates) -> Command:
    node = peers.node()
    (node / "app.ts").write_text(cdk_app.typescript(templates), encoding="utf-8")
    cdk_app.compile_typescript(node, "app.ts")
    return _synth(node, "node app.js", templates)


def _python(templates: Templates) -> Command:
    python = peers.python("cdk-python") / "python"
    node = peers.node()
    (node / "app.py").write_text(cdk_app.python(templates), encoding="utf-8")
    return _synth(node, f"{python} app.py", templates)


def _synth(node: Path, app: str, templates: Templates) -> Command:
    """Return the CDK's command for *app*, after a check of its output."""
    out = f"out-{app.split(maxsplit=1)[0].rsplit('/', 1)[-1]}"
    command = Command(
        [
            node / "node_modules/.bin/cdk",
            "synth",
            "--quiet",
            "--no-version-reporting",
            "--app",
            app,
            "--output",
            out,
        ],
        node,
        {"CDK_DISABLE_CLI_TELEMETRY": "true", "CI": "true"},
    )
    run(command)
    for name, template in templates.items():
        made = json.loads((node / out / f"{name}.template.json").read_text(encoding="utf-8"))
        if (there := made["Resources"].keys()) != template["Resources"].keys():
            raise RunError(f"{name}: other resources: {sorted(there ^ template['Resources'].keys())}")
    return command


def _folder(name: str) -> Path:
    folder = HOME / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
