"""
A deployment of llm-testing's four stacks beside other tools', on an endpoint where everything is instant.

The other tools have no look-ups and upload no files, hence this environment: it has no functions. Its tasks
do not start, because their image was not pushed; gatestack detects that, the others get it as a parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bench import cdk_app, peers, plain, sceptre_project
from bench.endpoint import Endpoint
from bench.measure import Command, RunError, in_turn, run
from bench.peers import HOME, NODE, PYTHON, ROOT, AbsentError
from bench.startup import GATESTACK
from bench.table import Row, compared, missing, seconds
from deployer.graph import graph
from generator import manifest as manifests

RUNS = 2
ENVIRONMENT = "llm-testing"
WHAT = "deployment of four stacks, on an instant endpoint"
GIVEN = {"network": {"AvailabilityZones": "us-east-1a,us-east-1b"}, "service": {"DesiredCount": "0"}}
"""Stack -> values of its parameters."""
Needs = Mapping[str, tuple[str, ...]]


def rows(endpoint: Endpoint) -> Iterator[Row]:
    """Measure it."""
    folder = HOME / "built" / ENVIRONMENT
    run(Command([GATESTACK, "generate", ENVIRONMENT, "--out", folder], ROOT))
    found = graph(manifests.read(folder).stacks)
    needs = {name: tuple(sorted(found.needs[name])) for name in found.names}
    ours = Command([GATESTACK, "deploy", folder, "--yes"], ROOT, endpoint.variables, endpoint.reset)
    for name, made in (
        (f"sceptre launch, {PYTHON['sceptre'][0]}", _sceptre),
        (f"cdk deploy, {NODE[1]}", _cdk),
    ):
        yield _beside(name, ours, made, folder, needs, endpoint)


def _beside(
    name: str,
    ours: Command,
    made: Callable[[Path, Needs, Endpoint], Command],
    folder: Path,
    needs: Needs,
    endpoint: Endpoint,
) -> Row:
    try:
        pair = in_turn(ours, made(folder, needs, endpoint), RUNS)
    except (AbsentError, RunError, OSError) as error:
        return missing(f"{WHAT}, beside {name}", error)
    return compared(WHAT, seconds(pair.ours.seconds), f"{name}: {seconds(pair.theirs.seconds)}", pair.ratio)


def _sceptre(folder: Path, needs: Needs, endpoint: Endpoint) -> Command:
    sceptre = peers.python("sceptre") / "sceptre"
    project = HOME / "sceptre-launch"
    sceptre_project.write_templates(folder, needs, GIVEN, project, ENVIRONMENT)
    return Command([sceptre, "launch", "--yes", ENVIRONMENT], project, endpoint.variables, endpoint.reset)


def _cdk(folder: Path, needs: Needs, endpoint: Endpoint) -> Command:
    node = peers.node()
    templates = plain.read(folder, tuple(needs))
    (node / "launch.ts").write_text(cdk_app.typescript(templates, needs), encoding="utf-8")
    cdk_app.compile_typescript(node, "launch.ts")
    values = [
        part
        for stack, parameters in GIVEN.items()
        for name, value in parameters.items()
        for part in ("--parameters", f"{stack}:{name}={value}")
    ]
    cdk = node / "node_modules/.bin/cdk"
    options = ["--require-approval", "never", "--concurrency", "4", "--no-version-reporting", *values]
    quiet = {"CDK_DISABLE_CLI_TELEMETRY": "true", "CI": "true"}
    app = ["--app", "node launch.js", "--output", "out-launch"]
    return Command([cdk, "deploy", "--all", *options, *app], node, endpoint.variables | quiet, endpoint.reset)
