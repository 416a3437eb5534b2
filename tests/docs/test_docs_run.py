"""
What the pages tell a reader to type is typed, in the order of the pages, against the sandbox.

A command counts as run when its command and options are those of a step here; names and values are the
step's own. What cannot be run here is in `EXCUSED` with its reason, and nothing else may be there.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox.clock import RealClock
from sandbox.server import Sandbox
from sandbox.services.services import Services
from tests.command import CREDENTIALS, KEY, LOGIN, Done, User, forked_commands, lint_findings
from tests.conftest import FAST
from tests.docs.docs_pages import commands, foreign
from tests.pipelines.pipeline_agent import check_out, project_at
from tests.programs_on_path import Programs

MODEL = """
  config:
    model_list:
      - model_name: gpt
        litellm_params: {model: openai/gpt-4o-mini, api_key: os.environ/OPENAI_API_KEY}
"""
PIPELINES = """
pipelines:
  github:
    repository: acme/gateway
    environments: [dev]
"""
HARMLESS = frozenset({"--yes", "--only", "--format", "--stack", "--environment", "--tag", "TAG"})
"""Options that a step may have beside the page's: there is no terminal here, and no commit."""


@dataclass(frozen=True)
class Step:
    """A command as a reader would type it."""

    text: str
    says: str = ""
    """Part of what it prints, on stdout or stderr."""
    code: int = 0
    stdin: str = ""
    edits: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Environment file -> what is replaced by what, before it; an empty text stands for the file's end."""


FIRST = (
    Step(
        "gatestack setup --environment first --tier dev --region us-east-1 --access http --providers openai"
        " --image ecr --yes",
        "environments/first.yaml",
    ),
    Step("gatestack show first --origin", "environments/first.yaml:"),
    Step("gatestack graph first", "wave 1", edits={"first": ("  image: ecr", f"  image: ecr{MODEL}")}),
    Step("gatestack cost first", "a month"),
    Step("gatestack cost first --format json", "monthly_usd"),
    Step("gatestack preflight first", "quota VPCs per region"),
    Step("gatestack plan first", "5 of 5 stacks change"),
    Step("gatestack plan first --format html", "<html"),
    Step("gatestack deploy first --yes", "no task is started"),
    Step("gatestack watch first"),
    Step("make image-push ENV=first TAG=v1.108.7"),
    Step("gatestack deploy first --yes", "first: 1 stack deployed"),
    Step("gatestack secret list first", "OPENAI_API_KEY"),
    Step("gatestack secret set first OPENAI_API_KEY", "is set", stdin="sk-proj-0123456789abcdef"),
    Step("gatestack rollout first", "new tasks run"),
    Step("gatestack verify first", "ok "),
    Step("gatestack outputs first", "alb.Url"),
    Step("gatestack secret get first LITELLM_MASTER_KEY --reveal", "sk-"),
    Step("gatestack secret get first UI_PASSWORD --reveal"),
    Step("gatestack destroy first --yes", "first: 5 stacks deleted"),
)
MAKE = (
    Step("make lint ENV=local", "5 templates, 0 findings"),
    Step("make cost ENV=local"),
    Step("make image-build ENV=dev TAG=v1.0.0"),
    Step("make image-build ENV=llm-testing CONTEXT=app TAG=v1.0.0"),
    Step("make plan-env ENV=local", "5 of 5 stacks change"),
    Step("make deploy-env ENV=local", "5 stacks deployed"),
    Step(
        "make deploy-env ENV=local",
        "error: service: the image local-litellm:v1.108.7 is not in ECR and tasks are running: push it first",
        code=2,  # make's own; gatestack's is in its words: Error 1
        edits={"local": ("image: ghcr.io/berriai/litellm-database", "image: ecr")},
    ),
    Step("make destroy-env ENV=local", "5 stacks deleted"),
)
DAY_TWO = (
    Step("gatestack bootstrap dev --print-template", "gatestack-deploy", edits={"dev": ("", PIPELINES)}),
    Step("gatestack bootstrap dev --yes", "AWS_ROLE_ARN"),
    Step("gatestack bootstrap dev --narrow --yes"),
    Step("gatestack lint dev --format sarif", '"2.1.0"'),
    Step("gatestack lint dev --format junit", "<testsuites>"),
    Step("gatestack generate dev", "build/dev/manifest.json"),
    Step("gatestack generate dev --out reviewed", "reviewed/manifest.json"),
    Step("gatestack graph dev --format mermaid", "flowchart"),
    Step("gatestack graph dev --format svg", "<svg"),
    Step("gatestack graph dev --format security", "| security group"),
    Step("gatestack deploy reviewed --yes --format json", '"outputs"'),
    Step("gatestack image dev --tag v1.108.7 --push"),
    Step("gatestack image dev --tag v1.108.7 --push --keep-existing", "is left unchanged"),
    Step("gatestack deploy dev --yes --on-failure stop"),
    Step("gatestack deploy dev --yes --only network", "nothing changes"),
    Step("gatestack status dev", "UPDATE_COMPLETE"),
    Step("gatestack events dev --stack service", "CREATE_COMPLETE"),
    Step("gatestack events dev --format html", "<html"),
    Step("gatestack drift dev"),
    Step(
        "gatestack plan dev --save change.plan --format html",
        "<html",
        edits={"dev": ("log_retention_days: 14", "log_retention_days: 30")},
    ),
    Step("gatestack deploy dev --plan change.plan", "2 stacks deployed"),
    Step("gatestack plan dev --detailed-exitcode", "nothing changes"),
    Step("gatestack plan dev --only network", "nothing changes"),
    Step("gatestack deploy dev --yes --only network --revert-drift"),
    Step("gatestack config list dev", "log-level"),
    Step("gatestack config get dev log-level", "INFO"),
    Step("gatestack config set dev log-level DEBUG", "DEBUG"),
    Step("gatestack secret set dev OPENAI_API_KEY", "is set", stdin="sk-proj-0123456789abcdef"),
    Step("gatestack secret set dev ui-password/UI_PASSWORD", "is set", stdin="a-password-of-mine"),
    Step("gatestack rollout dev", "new tasks run"),
    Step("gatestack image dev --tag v1.108.20 --push"),
    Step("gatestack rollout dev --image-tag v1.108.20 --yes"),
    Step("gatestack rotate dev database", "is rotated"),
    Step("gatestack rotate dev master-key", "is rotated"),
    Step("gatestack verify dev", "gatestack secret set dev ANTHROPIC_API_KEY", code=1),
    Step("gatestack deploy dev --profile work --only network --yes"),
    Step("gatestack plan dev --profile work --only network"),
    Step(
        "gatestack plan dev --migrate-exports",
        "Database (AWS::RDS::DBInstance)",
        edits={
            "dev": (
                "instance_class: db.t3.micro",
                "instance_class: db.t3.micro\n  snapshot_identifier: before",
            )
        },
    ),
    Step(
        "gatestack deploy dev --yes --only network --allow-replace Database",
        "nothing changes",
        edits={"dev": ("\n  snapshot_identifier: before", "")},
    ),
    Step("gatestack destroy dev --yes --only service", "1 stack deleted"),
    Step("gatestack destroy dev --yes --force", "kept: database: Database"),
)
IMAGES = (
    Step("gatestack image dev --tag v1.0.0"),
    Step("gatestack image llm-testing --tag v1.0.0 --context app"),
    Step("gatestack deploy llm-testing --yes", "deployed"),
    Step("gatestack image llm-testing --tag v1.0.0 --context app --push"),
    Step("make image-push ENV=llm-testing CONTEXT=app TAG=v1.1.0"),
    Step(
        "gatestack secret set llm-testing api-keys",
        "is set",
        stdin='{"keys": [{"id": "a", "key": "0123456789abcdef0123456789abcdef", "description": "first"}]}',
    ),
    Step("gatestack destroy llm-testing --yes --force"),
    Step("gatestack setup --system llm-proxy --environment qa --yes", "environments/llm-proxy-qa.yaml"),
    Step("gatestack plan llm-proxy-qa --region eu-central-1"),
)
REPOSITORY = (
    Step("gatestack init gateway --system litellm --pipelines azure", "gatestack deploy local --yes"),
    Step("gatestack schema", "Environment of gatestack"),
    Step("gatestack docs", "rotation-failed"),
    Step("gatestack docs operations", "# Operations"),
    Step("gatestack schema --of plan", "gatestack plan --format json"),
    Step("gatestack init another", "files are written to"),
)
TRUSTED = """pipelines:
  github: {repository: acme/gateway, environments: [production], pull_requests: true}
"""
DRILLS = (
    Step("gatestack local start --speed 20000", "http://127.0.0.1:"),
    Step('gatestack local fail database Database --on create --reason "No capacity in this zone"'),
    Step("gatestack deploy local --yes", "No capacity in this zone", code=1),
    Step("gatestack local throttle 30", "30 % of the API calls"),
    Step("gatestack deploy local --yes", "deployed in"),
    Step("gatestack local throttle 0"),
    Step("gatestack local lose 10", "10 % of the answers"),
    Step("gatestack rollout local", "new tasks run"),
    Step("gatestack local lose 0"),
    Step("gatestack local expire"),
    Step("gatestack status local", "expired: log in again", code=2),
    Step("gatestack local reset", "off: expire"),
    Step("gatestack status local", "CREATE_COMPLETE"),
    Step(
        'gatestack local fail service Service --on update --reason "Tasks failed to start"',
        edits={"local": ("service:", "service:\n  desired_count: 2\n  min_tasks: 2")},
    ),
    Step("gatestack deploy local --yes", "Tasks failed to start", code=1),
    Step("gatestack events local --stack service", "UPDATE_ROLLBACK_COMPLETE"),
    Step("gatestack deploy local --yes", "1 stack deployed"),
    Step(
        "gatestack local slow database Database 30",
        "30 sandbox minutes longer",
        edits={"local": ("", "\ndatabase:\n  storage_gb: 30\n")},
    ),
    Step("gatestack deploy local --yes", "1 stack deployed"),
    Step('gatestack local drift security ApiKeysSecret /Description "changed in the console"'),
    Step("gatestack drift local", "changed in the console", code=3),
    Step("gatestack deploy local --yes --revert-drift", "1 stack deployed"),
    Step("gatestack drift local"),
    Step("gatestack --sandbox plan prod", "5 of 5 stacks change"),
    Step("gatestack --sandbox deploy prod --yes", "no task is started"),
    Step("gatestack local provide image prod-litellm:v1.108.7", "is in us-east-1"),
    Step("gatestack --sandbox deploy prod --yes", "1 stack deployed"),
    Step("gatestack --sandbox destroy prod --yes", "--force", code=4),
    Step("gatestack --sandbox destroy prod --yes --force", "kept"),
    Step("gatestack local provide zone acme.io --id Z0987654321ABCDEFGHIJ", "Z0987654321ABCDEFGHIJ"),
    Step("gatestack local quota", "elastic-ips"),
    Step("gatestack local quota elastic-ips 0", "0 (default: 5)"),
    Step("gatestack --sandbox preflight dev", "of 0 are taken", code=2),
    Step("gatestack --sandbox deploy dev --yes", "The maximum number of addresses has been reached.", code=1),
    Step("gatestack local reset", "off: quota"),
    Step("gatestack --sandbox bootstrap dev --yes", "deployed in", edits={"dev": ("", f"\n{TRUSTED}")}),
    Step("gatestack local act-as gatestack-plan-us-east-1", "act-as: calls are judged"),
    Step("gatestack --sandbox deploy dev --yes", "is not authorized to perform: cloudformation:", code=1),
    Step("gatestack local act-as gatestack-deploy-us-east-1", "act-as: calls are judged"),
    Step("gatestack --sandbox deploy dev --yes", "5 stacks deployed"),
    Step("gatestack local reset", "off: act-as"),
    Step("gatestack local status", "environments: dev, gatestack, local"),
    Step("gatestack local stop", "stopped"),
)
SCENARIOS = {
    "drills": DRILLS,
    "repository": REPOSITORY,
    "first": FIRST,
    "make": MAKE,
    "day two": DAY_TWO,
    "images": IMAGES,
}
LONG = {"day two", "drills", "images"}
"""Run by `make check-deep`; each command has tests of its own beside these."""

EXCUSED: Mapping[str, str] = {
    "setup": "asks at a terminal: test_cli_setup.py types the answers",
    "local start": "starts a process that stays: test_sandbox_local.py",
    "deploy --allow-replace --migrate-exports": "test_migration.py and test_planfile.py do it stack by stack",
    "deploy --region": "the sandbox is one region; plan --region is run",
    "lint --only": "test_cli.py; all stacks are linted by `make lint`",
    "plan --comment": "needs a pull request: test_cli_comment.py and test_github_actions.py",
    "policy --rules": "runs cfn-guard or checkov: test_cli_policy.py",
    "policy --format github": "runs cfn-guard or checkov: test_cli_policy.py",
    "local start --gateway": "installs LiteLLM: test_litellm_answers.py, by `make test-litellm`",
    "make gateway": "the same, and deploys: test_litellm_answers.py",
    "make test": "this is a part of it",
    "make check": "runs the tests",
    "make test ROOM": "this is a part of it",
    "make test-browser": "a part of the tests",
    "make test-postgres": "a part of the tests, on other servers",
    "make check-deep": "the slow searches, and LiteLLM itself, once per release",
    "make golden": "rewrites files of the repository",
    "make clean": "removes what the tests run with",
    "make ready": "installs with pip",
    "make advisories": "asks OSV and rewrites a file: test_advisories.py reads what it has written",
    "make advisories FROM": "rewrites the same file: test_advisories.py reads records from files",
    "make support": "asks RDS and rewrites a file: test_support.py compares the table",
    "make regions": "rewrites files of the repository: test_regions.py compares the table",
    "make authorities": "asks AWS for certificates: test_authorities.py rewrites the table from itself",
    "make test-litellm": "installs LiteLLM, which has a suite of its own",
    "deploy --skip-in-rollback": "a rollback that cannot succeed: test_skip_in_rollback.py",
    "deploy --fresh": "a production environment that was destroyed: test_kept_again.py",
    "make lock": "asks the package index: test_locks.py reads what it has written",
    "make lock-image": "rewrites a file of the repository: test_pin_image.py",
    "image --unverified": "for a person without cosign: test_cli_image.py",
    "image --pin": "rewrites a file of the repository: test_cli_init.py",
    "make schema": "rewrites files of the repository",
    "cost --live": "asks the real Price List API; with a stand-in in test_cost_live.py",
    "make scan": "as long as a suite of its own: CI runs it",
    "make bench": "installs other tools",
}
"""Shape -> why no step here runs it."""
PROGRAMS = {
    "aws": "AWS's own; test_docs_commands.py compares commands and options with AWS's model",
    "az": "wants an organization of Azure DevOps",
    "curl": "wants the gateway's real address",
}
"""Program of others -> why its commands are not run."""


def shape(text: str) -> tuple[str, frozenset[str]]:
    """Return the command, and its options; of a format its name too, of make its variables but ENV."""
    program, *words = shlex.split(text)
    if program == "make":
        named = {word.partition("=")[0] for word in words[1:]} - {"ENV"}
        return f"make {words[0]}", frozenset(named)
    plain = [word for word in words if not word.startswith("-")]
    depth = 2 if plain[0] in {"secret", "config", "local"} else 1
    options = set()
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if word.startswith("--"):
            options.add(f"{word} {after}" if word == "--format" else word)
    return " ".join(plain[:depth]), frozenset(options)


def named(text: str) -> str:
    command, options = shape(text)
    return " ".join([command, *sorted(options)])


STEPS = frozenset(
    [shape(step.text) for steps in SCENARIOS.values() for step in steps]
    + [shape("gatestack lint ENV")]  # by `make lint`
)


def is_run(text: str) -> bool:
    command, options = shape(text)
    return any(
        command == ours and options <= given and {one.split()[0] for one in given - options} <= HARMLESS
        for ours, given in STEPS
    )


def test_every_command_of_the_pages_is_run_or_has_its_reason() -> None:
    left = {
        f"{named(one.text)}   <- {one}"
        for one in commands()
        if not is_run(one.text) and named(one.text) not in EXCUSED
    }

    assert sorted(left) == []


def test_no_reason_is_stale() -> None:
    said = {named(one.text) for one in commands()}
    run = {named(one.text) for one in commands() if is_run(one.text)}

    assert {one for one in EXCUSED if one not in said or one in run} == set()


def test_commands_of_other_programs_have_their_reason() -> None:
    assert {one.program for one in foreign()} == PROGRAMS.keys()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Sandbox]:
    Services().reset()
    with Sandbox(clock=RealClock(FAST), key=KEY) as running:
        yield running


@pytest.fixture
def reader(tmp_path: Path, endpoint: Sandbox) -> Iterator[User]:
    """A reader at a checkout of the project, with credentials, a profile and docker."""
    project, folder = tmp_path / "project", tmp_path / "checkout"
    project.mkdir()
    check_out(project_at(project), folder, forked_commands())
    (folder / ".aws").mkdir()
    keys = "".join(f"{name} = {value}\n" for name, value in CREDENTIALS.items())
    (folder / ".aws" / "credentials").write_text(f"[work]\n{keys}")
    (folder / "app").mkdir()
    (folder / "app" / "Dockerfile").write_text("FROM scratch\n")
    variables = {
        "AWS_ENDPOINT_URL": endpoint.endpoint,
        "GATESTACK_POLL_INTERVAL": "0.02",
        "AWS_EC2_METADATA_DISABLED": "true",
        "XDG_CACHE_HOME": lint_findings(),
    }
    user = Programs.at(tmp_path / "programs", "docker", "cosign").of(User(folder, variables | LOGIN))
    yield user
    user.run("local", "stop")


def typed(reader: User, step: Step) -> Done:
    program, *arguments = shlex.split(step.text)
    done = reader.call("make", *arguments) if program == "make" else reader.run(*arguments, stdin=step.stdin)
    assert "unexpected" not in done.err, done.err
    return done


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=pytest.mark.deep if one in LONG else ()) for one in SCENARIOS]
)
def test_what_a_page_tells_to_type_does_what_it_says(name: str, reader: User) -> None:
    if name == "drills":  # on the reader's own sandbox
        own = {key: value for key, value in reader.variables.items() if not key.startswith("AWS_")}
        reader = User(reader.folder, own)
    for step in SCENARIOS[name]:
        for file, (old, new) in step.edits.items():
            path = reader.folder / "environments" / f"{file}.yaml"
            text = path.read_text()
            assert text.count(old) == 1 or not old, f"{old!r} in {file}"
            path.write_text(text.replace(old, new) if old else text + new)
        done = typed(reader, step)
        assert (done.code, step.says in done.out + done.err) == (step.code, True), (
            f"{step.text}\n{done.out}\n{done.err}"
        )
