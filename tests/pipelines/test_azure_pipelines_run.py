"""The Azure pipelines, step by step with bash against the sandbox; docker is a stand-in that notes calls."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from sandbox.clock import RealClock
from sandbox.server import Sandbox
from tests.command import CREDENTIALS
from tests.conftest import FAST
from tests.gatestack.comments.review_servers import TOKEN, Reviews
from tests.gatestack.comments.review_servers import variables as review_variables
from tests.pipelines.pipeline_agent import COMMIT, Agent, Ran
from tests.pipelines.pipeline_machine import (
    CONNECTION,
    PLAN_ROLE,
    PLAN_SUBJECT,
    ROLE,
    SUBJECT,
    Tokens,
    calls,
    machine,
    tokens,
)
from tests.serving import serving

REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/dev-litellm"


@pytest.fixture
def given() -> Iterator[Tokens]:
    with tokens() as told:
        yield told


@pytest.fixture
def agent(tmp_path: Path, sandbox: Sandbox, given: Tokens) -> Agent:
    return machine(tmp_path, sandbox, given)


def run(agent: Agent, name: str, **parameters: object) -> Ran:
    """Run a pipeline that goes well."""
    done = agent.run(f"azure-pipelines-{name}.yml", **parameters)
    assert done.result == "Succeeded", done.log()
    return done


def taken(done: Ran) -> list[tuple[str, str, str]]:
    """Return the stages that took a role, by whose token, and which."""
    steps = [one for one in done.steps if one.title == "AWS credentials"]
    found = [(one.stage, re.search(r"token: sub (.*)", one.said), re.search(r"role:  (.*)", one.said))
             for one in steps]  # fmt: skip
    return [(stage, sub[1], role[1]) for stage, sub, role in found if sub and role]


def stacks(sandbox: Sandbox) -> dict[str, str]:
    """Return the stacks that are there, by their short names."""
    cloud = boto3.client("cloudformation", "us-east-1", endpoint_url=sandbox.endpoint, **CREDENTIALS)
    found = cloud.describe_stacks()["Stacks"]
    return {one["StackName"].removeprefix("dev-litellm-"): one["StackStatus"] for one in found}


def set_keys(sandbox: Sandbox) -> None:
    """Set the providers' keys, as somebody does once with `gatestack secret set`."""
    secrets = boto3.client("secretsmanager", "us-east-1", endpoint_url=sandbox.endpoint, **CREDENTIALS)
    keys = {"OPENAI_API_KEY": "sk-openai", "ANTHROPIC_API_KEY": "sk-ant", "AWS_BEDROCK_REGION": "us-east-1"}
    secrets.put_secret_value(SecretId="dev-litellm/api-keys", SecretString=json.dumps(keys))


def running(sandbox: Sandbox) -> tuple[str, str]:
    """Return the image's tag that the service runs, and where its configuration is."""
    ecs = boto3.client("ecs", "us-east-1", endpoint_url=sandbox.endpoint, **CREDENTIALS)
    found = ecs.describe_services(cluster="dev-litellm", services=["dev-litellm-proxy"])["services"][0]
    task = ecs.describe_task_definition(taskDefinition=found["taskDefinition"])["taskDefinition"]
    container = task["containerDefinitions"][0]
    variables = {one["name"]: one["value"] for one in container["environment"]}
    return container["image"].rpartition(":")[2], variables["LITELLM_CONFIG_BUCKET_OBJECT_KEY"]


def change_by_hand(sandbox: Sandbox) -> None:
    """Change what a stack has made, as somebody does in the console."""
    logs = boto3.client("logs", "us-east-1", endpoint_url=sandbox.endpoint, **CREDENTIALS)
    logs.put_retention_policy(logGroupName="/ecs/dev-litellm-proxy", retentionInDays=90)


def edit(agent: Agent, old: str, new: str) -> None:
    path = agent.project / "environments" / "dev.yaml"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


@pytest.mark.deep
def test_an_environment_is_planned_deployed_gets_its_image_is_changed_and_taken_away(
    agent: Agent, sandbox: Sandbox, given: Tokens
) -> None:
    first = run(agent, "environment", verify=False)
    assert "| dev-litellm-service | create |" in first.summaries[0]
    page = agent.folder / "run-1" / "artifacts" / "plan" / "plan.html"
    assert page.read_text().startswith("<!doctype html>")
    assert taken(first) == [("Plan", PLAN_SUBJECT, PLAN_ROLE), ("Apply", SUBJECT, ROLE)]
    assert set(stacks(sandbox).values()) == {"CREATE_COMPLETE"}
    assert given.asked[:2] == [
        ("/jobs/1/oidctoken?api-version=7.1", "Bearer the-jobs-own-token"),
        (
            f"/jobs/1/oidctoken?api-version=7.1&serviceConnectionId={CONNECTION}",
            "Bearer the-jobs-own-token",
        ),
    ]

    set_keys(sandbox)
    service = run(agent, "litellm")
    assert service.results["Apply.Repository"] == "Skipped"  # the stack is there
    assert [one[:2] for one in calls(agent)] == [
        ["docker", "buildx"], ["docker", "login"], ["docker", "push"],
    ]  # fmt: skip
    assert calls(agent)[-1] == ["docker", "push", f"{REPOSITORY}:{COMMIT}"]
    assert "1 of 1 tasks run" in service.said("gatestack verify")
    before = running(sandbox)
    assert before[0] == COMMIT

    edit(
        agent,
        "  min_tasks: 1",
        "  config:\n    litellm_settings:\n      request_timeout: 300\n  min_tasks: 1",
    )
    run(agent, "litellm-config", imageTag=COMMIT)
    after = running(sandbox)
    assert (after[0], after[1] != before[1]) == (COMMIT, True)

    assert "new tasks run" in run(agent, "litellm-update").said("gatestack rollout")
    assert "dev: in sync" in run(agent, "validate").said("gatestack drift")
    assert "dev: in sync" in run(agent, "drift").said("gatestack drift")
    change_by_hand(sandbox)
    assert agent.run("azure-pipelines-drift.yml").result == "Failed"

    gone = run(agent, "teardown", confirm="dev")
    assert "dev: 5 stacks deleted" in gone.said("gatestack destroy")
    assert stacks(sandbox) == {}


def test_a_stack_whose_imports_are_not_there_is_refused_before_anything_is_touched(
    agent: Agent, sandbox: Sandbox
) -> None:
    done = agent.run("azure-pipelines-alb.yml")

    assert done.results["Preflight"] == "Failed"
    assert (done.results["Apply"], done.results["Verify"]) == ("Skipped", "Skipped")
    assert "alb imports dev-litellm-network-" in done.issues[-1]
    assert stacks(sandbox) == {}


def test_where_azure_devops_gives_no_token_its_reason_is_told(agent: Agent, given: Tokens) -> None:
    given.refusal = "There is no explicit reference to service connection 7 from current stage"

    done = agent.run("azure-pipelines-litellm-update.yml")

    assert done.results == {
        "Preflight": "Failed", "Preflight.Check": "Failed", "Rollout": "Skipped", "Verify": "Skipped",
    }  # fmt: skip
    assert "Azure DevOps gives no token" in done.issues[0]
    assert given.refusal in done.issues[0]


@pytest.mark.parametrize(
    ("missing", "stage", "told"),
    [
        (
            "AWS_PLAN_ROLE_ARN",
            "Preflight",
            "no role: set AWS_PLAN_ROLE_ARN in the variable group gatestack-dev",
        ),
        ("AWS_DEPLOY_ROLE_ARN", "Rollout", "no role: set AWS_DEPLOY_ROLE_ARN in the variable group"),
        (
            "SERVICE_CONNECTION_ID",
            "Rollout",
            "no service connection: set SERVICE_CONNECTION_ID in the variable",
        ),
    ],
)
def test_what_the_variable_group_lacks_is_told_and_no_other_token_is_tried(
    agent: Agent, given: Tokens, missing: str, stage: str, told: str
) -> None:
    agent.groups["gatestack-dev"] = {
        name: value for name, value in agent.groups["gatestack-dev"].items() if name != missing
    }

    done = agent.run("azure-pipelines-litellm-update.yml")

    assert done.results[stage] == "Failed"
    assert done.issues[0].startswith(f"error: {told}")
    assert len(given.asked) == (0 if stage == "Preflight" else 1)


@pytest.mark.parametrize(
    ("provider", "group"), [("TfsGit", {}), ("GitHub", {"AWS_PLAN_ROLE_ARN": PLAN_ROLE})]
)
def test_a_pull_request_without_a_role_or_a_place_for_comments_is_validated_by_its_templates_alone(
    agent: Agent, given: Tokens, provider: str, group: dict[str, str]
) -> None:
    agent.reason, agent.provider = "PullRequest", provider
    agent.groups["gatestack-llm-testing"] = group

    assert run(agent, "validate", ENV="llm-testing").results == {
        "Templates": "Succeeded", "Templates.Lint": "Succeeded", "Review": "Skipped", "Health": "Skipped",
    }  # fmt: skip
    assert given.asked == []


def test_a_pull_request_of_azure_repos_gets_its_plan_as_a_comment(
    agent: Agent, sandbox: Sandbox, given: Tokens
) -> None:
    agent.reason, agent.token = "PullRequest", TOKEN
    reviews = Reviews(azure=True)
    with serving(reviews) as server:
        told = review_variables(server, azure=True)
        del told["SYSTEM_ACCESSTOKEN"]  # the steps' own
        agent.surroundings = {**agent.surroundings, **told}
        done = run(agent, "validate")

    assert done.results["Review.Review"] == "Succeeded"
    assert taken(done) == [("Review", PLAN_SUBJECT, PLAN_ROLE)]
    (comment,) = reviews.comments
    assert "## Plan for dev" in comment
    assert stacks(sandbox) == {}


def test_a_cancelled_run_says_what_goes_on_and_the_next_one_takes_it_up_verifies_it_and_it_is_taken_away(
    agent: Agent, sandbox: Sandbox, given: Tokens
) -> None:
    forked, agent.commands = agent.commands, None
    assert isinstance(sandbox.clock, RealClock)
    sandbox.clock.run_at(1.0)  # the VPC takes a while
    script, folder, variables = agent.started("azure-pipelines-network.yml", "gatestack deploy")
    step = subprocess.Popen(
        ["bash", script],
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    last_resort = threading.Timer(60, step.kill)
    last_resort.start()
    said = []
    assert step.stdout is not None
    for line in step.stdout:
        said.append(line)
        if "CREATE_IN_PROGRESS" in line and "Vpc" in line:
            step.send_signal(signal.SIGINT)  # what the agent sends first
            break
    for line in step.stdout:
        said.append(line)
        if "AWS continues with network" in line:
            step.send_signal(signal.SIGTERM)  # and after PROCESS_SIGINT_TIMEOUT
            break
    rest, _ = step.communicate(timeout=60)
    last_resort.cancel()

    assert step.returncode == 130, "".join([*said, rest])
    assert "AWS continues with: network" in rest
    assert stacks(sandbox) == {"network": "CREATE_IN_PROGRESS"}

    agent.commands = forked
    sandbox.clock.run_at(FAST)
    done = run(agent, "network")
    assert "| dev-litellm-network | none |" in done.summaries[-1]
    assert stacks(sandbox) == {"network": "CREATE_COMPLETE"}

    refused = agent.run("azure-pipelines-teardown-network.yml", confirm="prod")
    assert (refused.result, refused.results["Teardown"]) == ("Failed", "Skipped")
    assert refused.issues == ["error: the environment's name was not typed again: nothing is taken away"]
    assert stacks(sandbox) == {"network": "CREATE_COMPLETE"}

    run(agent, "teardown-network", confirm="dev")
    assert stacks(sandbox) == {}


@pytest.mark.deep
def test_the_five_stacks_are_deployed_one_pipeline_each_and_taken_away_so(
    agent: Agent, sandbox: Sandbox
) -> None:
    for name in ("security", "network", "alb", "database"):
        run(agent, name)
    set_keys(sandbox)
    service = run(agent, "litellm")
    assert service.results["Apply.Repository"] == "Succeeded"  # it made the repository that the image goes to
    assert running(sandbox)[0] == COMMIT
    pushed = len(calls(agent))
    run(agent, "litellm")  # a commit that is built already
    assert len(calls(agent)) == pushed
    run(agent, "litellm-update", imageTag=COMMIT)
    run(agent, "environment", imageTag=COMMIT)  # the parameter with the image's tag
    again = run(agent, "environment", imageTag=COMMIT)
    assert again.results["Apply"] == "Skipped"  # nothing is left to change
    assert again.results["Verify"] == "Succeeded"

    refused = agent.run("azure-pipelines-teardown-network.yml", confirm="dev")
    assert refused.results["Teardown"] == "Failed"  # others import from it
    for name in ("litellm", "database", "alb", "network", "security"):
        run(agent, f"teardown-{name}", confirm="dev")
    assert stacks(sandbox) == {}


@pytest.mark.deep
def test_a_production_environment_goes_only_by_force(agent: Agent, sandbox: Sandbox) -> None:
    edit(agent, "tier: dev", "tier: production")
    edit(agent, "network:\n", "alb:\n  internal: true\n\nnetwork:\n")
    run(agent, "network")
    assert agent.run("azure-pipelines-teardown-network.yml", confirm="dev").result == "Failed"

    run(agent, "teardown-network", confirm="dev", force=True)

    assert stacks(sandbox) == {}
