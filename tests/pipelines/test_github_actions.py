"""The workflows for GitHub: valid, pinned, without a secret, and each step run against the sandbox."""

import json
import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import click
import pytest

from gatestack.cli import cli
from sandbox.server import Sandbox
from stacks.bootstrap import trusted
from stacks.environment import parse_settings
from tests.command import CREDENTIALS, KEY, lint_findings
from tests.gatestack.comments.review_servers import TOKEN, Reviews
from tests.gatestack.comments.review_servers import variables as review_variables
from tests.pipelines.github_actions import FOLDER, WORKFLOWS, Runner, filled, steps, value, workflow
from tests.places import ROOT
from tests.programs_on_path import Programs, without
from tests.serving import serving

ROLE = "arn:aws:iam::123456789012:role/gatestack-deploy"
PLAN_ROLE = "arn:aws:iam::123456789012:role/gatestack-plan"
SHA = "0123456789abcdef0123456789abcdef01234567"
PLACE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/dev-litellm"
NAMES = [path.stem for path in WORKFLOWS]
OF_ALL = pytest.mark.parametrize("name", NAMES)


class Tokens:
    """GitHub's place for tokens: it gives one to who asks rightly, and counts."""

    def __init__(self) -> None:
        self.given = 0
        self.twice = threading.Event()
        self.closed = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked = (environ["HTTP_AUTHORIZATION"], environ["QUERY_STRING"])
        if self.closed or asked != ("Bearer of-the-job", "api=1&audience=sts.amazonaws.com"):
            start_response("403 Forbidden", [])
            return [b"no"]
        self.given += 1
        if self.given > 1:
            self.twice.set()
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"value": KEY.web_identity({"sub": f"token-{self.given}"})}).encode()]


@contextmanager
def machine(folder: Path, sandbox: Sandbox, **github: Any) -> Iterator[tuple[Runner, Programs, Tokens]]:
    """Give a runner whose docker and cosign are stand-ins, and whose AWS is the sandbox."""
    tokens = Tokens()
    programs = Programs.at(folder / "programs", "docker", "cosign", "make")
    _pass_on(programs.folder / "make")
    with serving(tokens) as address:
        variables = {
            "PATH": f"{programs.folder}:{without('docker', 'cosign', 'gatestack')}",
            "AWS_ENDPOINT_URL": sandbox.endpoint,
            "AWS_REGION": "us-east-1",
            "GATESTACK_POLL_INTERVAL": "0.02",
            "XDG_CACHE_HOME": lint_findings(),
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{address}/token?api=1",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job",
        }
        usual = {"event_name": "push", "ref": "refs/heads/main", "sha": SHA, "repository": "me/gateway"}
        contexts = {
            "github": usual | github,
            "vars": {"AWS_PLAN_ROLE_ARN": PLAN_ROLE, "PRODUCTION_ENV": "dev"},
            "inputs": {},
        }
        yield Runner(folder, variables, contexts, {"dev": {"AWS_ROLE_ARN": ROLE}}), programs, tokens


def _pass_on(make: Path) -> None:
    """Stand in for make: `make check`, which would run these very tests, only says what it would do."""
    make.write_text(
        f'#!/bin/bash\n[ "$1" != check ] || set -- --dry-run check\nPATH={without()!r} exec make "$@"\n'
    )


def results(done: dict[str, Any]) -> dict[str, str]:
    return {name: job.result for name, job in done.items()}


# the files


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_every_workflow_is_what_github_takes_and_every_job_has_its_time(schema: str) -> None:
    tool = Path(sys.executable).parent / "check-jsonschema"
    done = subprocess.run(
        [tool, "--builtin-schema", schema, *WORKFLOWS],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


@OF_ALL
def test_every_action_is_githubs_own_and_pinned_to_a_commit(name: str) -> None:
    text = (FOLDER / f"{name}.yml").read_text()
    used = re.findall(r"uses: (.*)", text)

    assert used
    for one in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one), one


@OF_ALL
def test_nothing_of_a_run_is_put_into_its_script_and_no_secret_is_used(name: str) -> None:
    """An expression in a script is code for whoever names a branch or a tag: values come by `env`."""
    assert "secrets." not in (FOLDER / f"{name}.yml").read_text()
    for job, step in steps(workflow(name)):
        assert "${{" not in step.get("run", ""), (job, step)


@OF_ALL
def test_a_job_may_do_no_more_than_it_needs(name: str) -> None:
    found = workflow(name)

    assert found["permissions"] == {"contents": "read"}
    for job in found["jobs"].values():
        takes_a_role = any("aws-token.sh" in step.get("run", "") for step in job["steps"])
        more = {"contents": "read", "id-token": "write"}
        if "--comment" in json.dumps(job):
            more["pull-requests"] = "write"
        assert job.get("permissions", {}) == (more if takes_a_role else {})
        kept = [step["with"] for step in job["steps"] if "checkout" in step.get("uses", "")]
        assert kept == [{"persist-credentials": "false"}]


@OF_ALL
def test_what_changes_an_environment_waits_its_turn_there_and_is_never_cut_off(name: str) -> None:
    for job in workflow(name)["jobs"].values():
        changing = [
            step for step in job["steps"] if re.search(r"gatestack (deploy|rollout|image)", str(step))
        ]
        assert bool(changing) == ("environment" in job) == ("concurrency" in job)
        if changing:
            turn = job["concurrency"]
            assert turn == {
                "group": f"gatestack-{job['environment']}", "cancel-in-progress": "false", "queue": "max",
            }  # fmt: skip


@OF_ALL
def test_every_target_command_and_option_is_there(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    used = 0
    for _, step in steps(workflow(name)):
        script = step.get("run", "")
        assert set(re.findall(r"\bmake ([a-z-]+)", script)) <= targets
        for line in re.findall(r"\bgatestack ([a-z].*)", script):
            used += 1
            with click.Context(cli) as context:
                command = cli.get_command(context, line.split()[0])
            assert command is not None, line
            known = {option for one in command.params for option in one.opts}
            assert set(re.findall(r"--[a-z-]+", line)) <= known, line
        for path in re.findall(r"pipelines/\S+", script):
            assert (ROOT / path).stat().st_mode & 0o100, path
    assert used


@OF_ALL
def test_a_cancelled_step_cancels_gatestack(name: str) -> None:
    """The runner signals a step's first process only (GitHub docs, "Workflow cancellation reference")."""
    scripts = [step["run"] for _, step in steps(workflow(name)) if "gatestack " in step.get("run", "")]

    assert scripts
    assert [script for script in scripts if not script.startswith("exec gatestack ") or "\n" in script] == []


@OF_ALL
def test_what_a_step_names_of_another_is_said_by_it(name: str) -> None:
    found = workflow(name)
    text = (FOLDER / f"{name}.yml").read_text()
    said = {step["id"] for _, step in steps(found) if "id" in step}

    assert {one for one, _ in re.findall(r"steps\.(\w+)\.outputs\.(\w+)", text)} <= said
    assert {one for _, one in re.findall(r"steps\.(\w+)\.outputs\.(\w+)", text)} <= {"changes", "image_tag"}


def test_bootstrap_trusts_the_jobs_that_take_a_role_by_the_file_that_the_page_shows() -> None:
    page = (ROOT / "docs" / "github-actions.md").read_text()
    shown = textwrap.dedent(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    text = (ROOT / "environments" / "dev.yaml").read_text()
    (trust,) = trusted(parse_settings(f"{text}\n{shown}", Path("dev.yaml")))
    subject = "repo:my-organization/gateway"

    jobs = [job for name in NAMES for job in workflow(name)["jobs"].values() if "permissions" in job]
    roles = {(job["env"]["AWS_ROLE_ARN"], "environment" in job) for job in jobs}
    assert roles == {("${{ vars.AWS_ROLE_ARN }}", True), ("${{ vars.AWS_PLAN_ROLE_ARN }}", False)}
    assert trust.deploy == (f"{subject}:environment:dev",)
    assert trust.plan == (f"{subject}:pull_request", f"{subject}:ref:refs/heads/main")


@OF_ALL
def test_a_job_outside_of_an_environment_can_name_the_plan_role_alone(name: str) -> None:
    """A pull request's and a branch's job come before every approval; an environment's wait for its own."""
    found = workflow(name)
    assert "AWS_ROLE_ARN" not in found.get("env", {})
    for job in found["jobs"].values():
        text = json.dumps(job)
        taken = re.findall(r"vars\.(AWS_\w*ROLE_ARN)", text)
        takes = "aws-token.sh" in text
        if "environment" in job:
            assert takes
            assert set(taken) == {"AWS_ROLE_ARN"}
        else:
            assert set(taken) == ({"AWS_PLAN_ROLE_ARN"} if takes else set())


# expressions


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ("inputs.environment || vars.X || 'dev'", "x"),
        ("vars.X == 'X' && 'it''s'", "it's"),
        ("github.event_name == 'push' || inputs.verify", True),
        ("inputs.gone != '' && true", False),
        ("!(vars.X != 'x')", True),
        ("startsWith(github.ref, 'refs/tags/')", False),
        ("github.event.pull_request.head", None),
    ],
)
def test_an_expression_is_worth_what_github_says(text: str, worth: Any) -> None:
    contexts = {"inputs": {}, "vars": {"X": "x"}, "github": {"event_name": "push", "ref": "refs/heads/main"}}

    assert value(text, contexts) == worth


def test_an_expression_that_is_not_understood_is_an_error() -> None:
    assert filled("a ${{ vars.X }} b ${{ vars.none }}", {"vars": {"X": "1"}}) == "a 1 b "
    for wrong in ("gone.x", "toJSON(1)", "1 ~ 2", "1 2"):
        with pytest.raises(ValueError, match=r"."):
            value(wrong, {})


# the flows


def test_a_pull_request_shows_its_plan_and_changes_nothing(tmp_path: Path, sandbox: Sandbox) -> None:
    event = {"pull_request": {"head": {"repo": {"full_name": "me/gateway"}}}}
    reviews = Reviews()
    with (
        serving(reviews) as github,
        machine(tmp_path, sandbox, event_name="pull_request", event=event, token=TOKEN) as (
            runner,
            _,
            tokens,
        ),
    ):
        runner.commands = None
        runner.variables |= review_variables(github, azure=False)
        del runner.variables["GITHUB_TOKEN"]  # the step's own
        done = runner.run(workflow("infrastructure"))

    assert len(reviews.comments) == 1, done["review"].log
    assert results(done) == {
        "lint": "success",
        "review": "success",
        "plan": "skipped",
        "deploy": "skipped",
    }, done["review"].log
    assert "## Plan for dev" in done["review"].summary
    assert (tokens.given, runner.entered) == (1, [])
    assert not {"ExecuteChangeSet", "CreateStack"} & {call.action for call in sandbox.calls}


def test_a_fork_gets_no_credentials(tmp_path: Path, sandbox: Sandbox) -> None:
    event = {"pull_request": {"head": {"repo": {"full_name": "you/gateway"}}}}
    with machine(tmp_path, sandbox, event_name="pull_request", event=event) as (runner, _, tokens):
        done = runner.run(workflow("infrastructure"))

    assert results(done)["review"] == "skipped"
    assert tokens.given == 0


def test_main_plans_waits_for_approval_deploys_that_plan_and_then_has_nothing_to_do(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    by_hand = {"environment": "dev", "allow_replace": "", "verify": False}
    with machine(tmp_path / "1", sandbox, event_name="workflow_dispatch") as (runner, _, _):
        runner.contexts["inputs"] = by_hand
        done = runner.run(workflow("infrastructure"))
    assert results(done) == {
        "lint": "success",
        "review": "skipped",
        "plan": "success",
        "deploy": "success",
    }, done["plan"].log + done["deploy"].log
    assert done["plan"].outputs == {"changes": "yes"}
    assert runner.entered == ["dev"]
    assert "5 stacks deployed" in done["deploy"].log
    assert "exec gatestack verify" not in done["deploy"].log

    with machine(tmp_path / "2", sandbox) as (runner, _, _):
        again = runner.run(workflow("infrastructure"))
    assert (again["plan"].outputs, results(again)["deploy"]) == ({"changes": "no"}, "skipped")
    assert runner.entered == [], "nobody is asked to approve nothing"

    for number, result in enumerate(("success", "failure")):
        with machine(tmp_path / f"night-{number}", sandbox, event_name="schedule") as (runner, _, _):
            night = runner.run(workflow("drift"))
        assert results(night) == {"drift": result}, night["drift"].log
        logs = boto3.client("logs", "us-east-1", endpoint_url=sandbox.endpoint, **CREDENTIALS)
        logs.put_retention_policy(logGroupName="/ecs/dev-litellm-proxy", retentionInDays=90)


@pytest.mark.deep
def test_main_pushes_for_staging_and_a_stable_tag_goes_to_production(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    with machine(tmp_path / "0", sandbox, event_name="workflow_dispatch") as (runner, _, _):
        runner.contexts["inputs"] = {"environment": "dev", "allow_replace": "", "verify": False}
        assert results(runner.run(workflow("infrastructure")))["deploy"] == "success"

    with machine(tmp_path / "1", sandbox) as (runner, programs, _):
        done = runner.run(workflow("application"))
    assert results(done) == {"test": "success", "staging": "success", "production": "skipped"}, done[
        "staging"
    ].log
    assert programs.calls[-1] == ["docker", "push", f"{PLACE}:sha-{SHA[:12]}"]
    assert not any("gatestack rollout" in script for script in runner.ran)

    with machine(tmp_path / "2", sandbox, ref="refs/tags/v1.108.7-stable") as (runner, programs, _):
        done = runner.run(workflow("application"))
    assert results(done) == {"test": "success", "staging": "skipped", "production": "success"}, done[
        "production"
    ].log
    assert runner.entered == ["dev"]
    assert programs.calls[-1] == ["docker", "push", f"{PLACE}:v1.108.7"]
    assert "new tasks run" in done["production"].log, "the first ones, once their image is there"

    with machine(tmp_path / "3", sandbox) as (runner, programs, _):
        runner.contexts["vars"] |= {"DEPLOY_STAGING": "true"}
        done = runner.run(workflow("application"))
    assert results(done)["staging"] == "success", done["staging"].log
    assert "exists already" in done["staging"].log, "a run that is repeated goes on where it failed"
    assert "new tasks run" in done["staging"].log


# the token


def _token(folder: Path, tokens: Tokens, address: str, **more: str) -> subprocess.CompletedProcess[str]:
    variables = {
        "PATH": without(),
        "RUNNER_TEMP": str(folder),
        "GITHUB_ENV": str(folder / "env"),
        "AWS_ROLE_ARN": ROLE,
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{address}?api=1",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job",
    }
    return subprocess.run(
        ["timeout", "--foreground", "60", FOLDER / "aws-token.sh"],
        env=variables | more,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("AWS_ROLE_ARN", "::error::no role: set the variable AWS_ROLE_ARN"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "::error::GitHub gives this job no token: it needs permissions"),
    ],
)
def test_what_is_missing_for_a_token_is_told(tmp_path: Path, missing: str, words: str) -> None:
    done = _token(tmp_path, Tokens(), "http://127.0.0.1:1", **{missing: ""})

    assert (done.returncode, done.stdout.startswith(words)) == (1, True), done.stdout


def test_a_refused_token_is_told_and_nothing_is_printed_of_it(tmp_path: Path) -> None:
    tokens = Tokens()
    tokens.closed = True
    with serving(tokens) as address:
        done = _token(tmp_path, tokens, address)

    assert (done.returncode, "::error::GitHub gives no token" in done.stdout) == (1, True)
    assert "of-the-job" not in done.stdout + done.stderr


def test_a_job_that_lasts_has_a_fresh_token_before_the_first_is_stale(tmp_path: Path) -> None:
    tokens = Tokens()
    script = f'bash {FOLDER / "aws-token.sh"} && read -r _ < "$GATE"; kill 0'
    gate = tmp_path / "gate"
    subprocess.run(["mkfifo", gate], check=True)
    with serving(tokens) as address:
        process = subprocess.Popen(
            ["bash", "-c", script],
            env={
                "PATH": without(),
                "GATE": str(gate),
                "RUNNER_TEMP": str(tmp_path),
                "GITHUB_ENV": str(tmp_path / "env"),
                "AWS_ROLE_ARN": ROLE,
                "TOKEN_SECONDS": "0.1",
                "ACTIONS_ID_TOKEN_REQUEST_URL": f"{address}?api=1",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job",
            },
            start_new_session=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert tokens.twice.wait(timeout=60)
        gate.write_text("go\n")
        told, _ = process.communicate(timeout=60)

    token = tmp_path / "aws-token"
    assert KEY.vouches_for(token.read_text())
    assert "token: iss \ntoken: sub token-1\ntoken: aud \n" in told, "what a trust has to name"
    assert token.read_text() not in told
    assert token.stat().st_mode & 0o077 == 0, "nobody else reads it"
    assert f"AWS_WEB_IDENTITY_TOKEN_FILE={token}\n" in (tmp_path / "env").read_text()
