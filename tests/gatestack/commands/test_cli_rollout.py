"""`gatestack rollout` as a user runs it, against the sandbox's ECS."""

import json
import re

import pytest

from sandbox.server import Sandbox
from tests.command import User

SERVICE = "local-litellm-proxy"


def live(user: User, stack: str) -> dict[str, str]:
    return json.loads(user.run("outputs", "local", "--format", "json").out)["outputs"][stack]


def test_new_tasks_are_started_and_waited_for(deployed: User) -> None:
    done = deployed.run("rollout", "local", "--format", "json")

    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert told.items() >= {"environment": "local", "service": SERVICE, "status": "COMPLETED"}.items()
    assert f"new tasks are started ({told['deployment']})" in done.err


def test_tasks_that_do_not_start_are_rolled_back_with_why(deployed: User, account: Sandbox) -> None:
    account.faults.add({"rollouts": [{"service": SERVICE}]})

    done = deployed.run("rollout", "local", "--format", "json")

    assert done.code == 1, done.err
    assert json.loads(done.out)["status"] == "ROLLED_BACK"
    assert done.err.splitlines()[-1].startswith(f"error: {SERVICE}: ECS rolled back to the previous tasks: ")
    assert "\nnext:\n  gatestack rollout local  # once the cause is fixed\n" in done.err


def test_a_time_limit_leaves_it_to_ecs(deployed: User, account: Sandbox) -> None:
    account.clock.run_at(1.0)  # type: ignore[attr-defined] # this fixture's clock is a real one

    done = deployed.run("rollout", "local", "--timeout-minutes", "0.005", "--format", "json")

    assert (done.code, json.loads(done.out)["status"]) == (5, "IN_PROGRESS")
    assert f"ECS continues the deployment of {SERVICE}" in done.err


def test_a_deployment_that_is_under_way_is_superseded(deployed: User, account: Sandbox) -> None:
    account.clock.run_at(1.0)  # type: ignore[attr-defined] # as above
    deployed.run("rollout", "local", "--timeout-minutes", "0.001")
    account.clock.run_at(20_000.0)  # type: ignore[attr-defined] # as above

    done = deployed.run("rollout", "local")

    assert done.code == 0, done.err


def test_a_service_that_runs_nothing_says_what_is_missing(deployed: User) -> None:
    assert deployed.run("deploy", "llm-testing", "--yes").code == 0

    done = deployed.run("rollout", "llm-testing")

    assert done.code == 1
    assert "test-llm-testing-backend runs no tasks: at the last deployment its image was missing" in done.err
    assert "dkr.ecr.us-east-1.amazonaws.com/test-llm-testing" in done.err.splitlines()[-1]
    assert "`gatestack deploy llm-testing`" in done.err

    other = deployed.run("rollout", "llm-testing", "--image-tag", "v1.92.0", "--yes")
    assert other.code == 1
    assert "test-llm-testing-backend runs no tasks" in other.err.splitlines()[-1]


def test_an_environment_without_a_service_is_to_be_deployed_first(deployed: User) -> None:
    done = deployed.run("rollout", "prod")

    assert (done.code, done.err) == (1, "error: prod has no service: `gatestack deploy prod` creates it\n")


# what else waits in the file


def changed_stacks(user: User) -> dict[str, set[str]]:
    plan = json.loads(user.run("plan", "local", "--format", "json").out)
    return {
        stack["name"]: {change["logical_id"] for change in stack["changes"]}
        for stack in plan["stacks"]
        if stack["action"] != "none"
    }


def test_an_image_that_stands_in_the_middle_of_another_change_is_not_guessed(deployed: User) -> None:
    path = deployed.folder / "environments" / "local.yaml"
    path.write_text(path.read_text().replace("image: ghcr", "image: ecr"))

    done = deployed.run("rollout", "local", "--image-tag", "v1.92.0", "--yes")

    assert done.code == 4, done.err
    assert "cannot be changed apart from what else the file of local changes there" in done.err
    assert "`gatestack deploy local`" in done.err


def test_the_image_alone_is_changed_where_more_waits_in_the_file(deployed: User) -> None:
    waits = "database:\n  backup_retention_days: 3\nobservability:\n  log_retention_days: 30"
    deployed.edit("local", "tier: dev", f"tier: dev\n{waits}")
    waiting = changed_stacks(deployed)

    done = deployed.run("rollout", "local", "--image-tag", "v1.93.0", "--yes")

    assert done.code == 0, done.err
    listed = json.loads(deployed.run("config", "list", "local", "--format", "json").out)["parameters"]
    assert {one["name"]: one["value"] for one in listed}["image-tag"] == "v1.93.0"
    assert waiting.keys() == {"database", "service"}
    deployed.edit("local", "service:", "service:\n  image_tag: v1.93.0")
    assert changed_stacks(deployed) == {
        "database": waiting["database"],
        "service": {"MasterKeyRotationLog", "TaskLog"},
    }, "what waited still waits, and nothing else differs"


# another image


def test_another_image_goes_through_cloudformation_and_its_migration(deployed: User) -> None:
    before = live(deployed, "service")["TaskDefinitionArn"]

    done = deployed.run("rollout", "local", "--image-tag", "v1.92.0", "--yes", "--format", "json")

    assert done.code == 0, done.err
    assert json.loads(done.out).items() >= {"service": SERVICE, "status": "COMPLETED"}.items()
    assert live(deployed, "service")["TaskDefinitionArn"] != before
    assert "the database is migrated for ghcr.io/berriai/litellm-database:v1.92.0" in done.err
    assert "still says service.image_tag: v1.108.7" in done.err.splitlines()[-1]
    plan = json.loads(deployed.run("plan", "local", "--format", "json").out)
    changed = {stack["name"] for stack in plan["stacks"] if stack["action"] != "none"}
    assert changed == {"security", "database", "service"}, "the next deployment goes back to the file's tag"

    again = deployed.run("rollout", "local", "--image-tag", "v1.92.0", "--yes", "--format", "json")
    assert again.code == 0, again.err
    assert "the stacks have that tag already: new tasks of it are started" in again.err
    assert json.loads(again.out)["deployment"] != json.loads(done.out)["deployment"]


def test_an_image_that_does_not_run_is_taken_back_by_cloudformation(deployed: User, account: Sandbox) -> None:
    fault = {"logical_id": "Service", "operation": "update", "reason": "the circuit breaker was triggered"}
    account.faults.add({"resources": [fault]})

    done = deployed.run("rollout", "local", "--image-tag", "v1.91.0", "--yes", "--format", "json")

    assert done.code == 1, done.err
    assert json.loads(done.out)["status"] == "ROLLED_BACK"
    assert done.err.splitlines()[-1].startswith("error: service: Service (AWS::ECS::Service): the circuit")
    assert re.search(
        r"^  gatestack rollout local --image-tag \S+  # once the cause is fixed", done.err, re.MULTILINE
    )
    assert "warning: the file" not in done.err


def test_another_image_is_asked_for_at_a_terminal(deployed: User) -> None:
    refused = deployed.at_a_terminal("n\n", "rollout", "local", "--image-tag", "v1.90.0")
    assert (refused.code, "Deploy this to local?" in refused.err) == (4, True)

    agreed = deployed.at_a_terminal("y\n", "rollout", "local", "--image-tag", "v1.90.0")
    assert agreed.code == 0, agreed.err


def test_nobody_to_ask_is_a_refusal(deployed: User) -> None:
    done = deployed.run("rollout", "local", "--image-tag", "v1.92.0")

    assert (done.code, "give --yes" in done.err) == (4, True)


@pytest.mark.parametrize(
    ("environment", "tag", "said"),
    [
        ("dev", "not a tag", "service.image_tag: 'not a tag' is not a tag like"),
        ("dev", "1.82.7", "published with stolen credentials"),
        ("prod", "main-latest", "moves with each release"),
    ],
)
def test_a_tag_that_an_environment_file_could_not_say_is_refused(
    deployed: User, account: Sandbox, environment: str, tag: str, said: str
) -> None:
    done = deployed.run("rollout", environment, "--image-tag", tag, "--yes")

    assert (done.code, account.calls) == (2, [])
    assert said in done.err


def test_a_rendered_folder_keeps_its_tag(deployed: User) -> None:
    assert deployed.run("generate", "dev", "--out", "reviewed").code == 0

    done = deployed.run("rollout", "reviewed", "--image-tag", "v1.92.0", "--yes")

    assert (done.code, "a rendered folder holds its image's tag already" in done.err) == (2, True)
