"""The example environment `team`, which uses all that a team can add: through its life on the sandbox."""

import json

import pytest
import yaml

from sandbox.server import Sandbox
from tests.command import User
from tests.places import ENVIRONMENTS
from tests.sandbox.sandbox_account import client

NAME = "team-litellm/variables/LANGFUSE_SECRET_KEY"


def write(user: User, file: dict[str, object]) -> None:
    (user.folder / "environments" / "team.yaml").write_text(yaml.safe_dump(file, sort_keys=False))


def containers(sandbox: Sandbox) -> dict[str, dict[str, list[str]]]:
    """Container -> the variables that its secrets and its environment are, in what the service runs."""
    ecs = client(sandbox, "ecs")
    (service,) = ecs.describe_services(cluster="team-litellm", services=["team-litellm-proxy"])["services"]
    found = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    return {
        one["name"]: {
            "secrets": [each["name"] for each in one.get("secrets", ())],
            "environment": [each["name"] for each in one.get("environment", ())],
        }
        for one in found["containerDefinitions"]
    }


@pytest.mark.deep
def test_the_example_of_a_team_loses_one_addition_after_the_other(user: User, sandbox: Sandbox) -> None:
    file = yaml.safe_load((ENVIRONMENTS / "team.yaml").read_text())

    def deployed(*consent: str) -> str:
        allow = [word for one in consent for word in ("--allow-replace", one)]
        done = user.run("deploy", "team", "--yes", *allow)
        assert done.code == 0, done.err
        unchanged = user.run("plan", "team", "--detailed-exitcode")
        assert unchanged.code == 0, unchanged.out + unchanged.err
        return done.err

    deployed()
    assert user.run("drift", "team").code == 0
    assert {"collector", "litellm-proxy"} == containers(sandbox).keys()
    told = containers(sandbox)["litellm-proxy"]
    assert {"AZURE_API_KEY", "GEMINI_API_KEY", "LANGFUSE_SECRET_KEY"} < {*told["secrets"]}
    assert {"PROMPTS_BUCKET", "OTEL_EXPORTER_OTLP_ENDPOINT", "AZURE_API_BASE"} < {*told["environment"]}
    (listener,) = (
        one
        for balancer in client(sandbox, "elbv2").describe_load_balancers()["LoadBalancers"]
        for one in client(sandbox, "elbv2").describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])[
            "Listeners"
        ]
        if one["Port"] == 443
    )
    assert listener["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-3-2021-06"
    assert user.run("secret", "set", "team", "LANGFUSE_SECRET_KEY", stdin="sk-lf-kept").code == 0

    service, observability, extend = file["service"], file["observability"], file["extend"]
    service["secrets"] = ["LANGFUSE_SECRET_KEY"]
    write(user, file)
    assert user.run("deploy", "team", "--yes").code == 4
    deployed("LangfusePublicKeySecret")

    service["providers"] = ["azure"]
    service["config"]["model_list"] = service["config"]["model_list"][:1]
    write(user, file)
    deployed("GeminiApiKeySecret")
    assert "GEMINI_API_KEY" not in containers(sandbox)["litellm-proxy"]["secrets"]

    del service["task_policy"]
    write(user, file)
    assert "bedrock:ListFoundationModels" in user.run("plan", "team").out
    deployed()

    del observability["collector"]
    write(user, file)
    deployed("MetricsLog")
    assert containers(sandbox).keys() == {"litellm-proxy"}

    del extend["patches"]
    write(user, file)
    deployed()

    del service["environment_from"], file["extend"]
    write(user, file)
    assert "prompts" in deployed("Bucket")
    assert "PROMPTS_BUCKET" not in containers(sandbox)["litellm-proxy"]["environment"]
    value = client(sandbox, "secretsmanager").get_secret_value(SecretId=NAME)["SecretString"]
    assert json.loads(value) == {"LANGFUSE_SECRET_KEY": "sk-lf-kept"}

    gone = user.run("destroy", "team", "--yes")
    assert gone.code == 0, gone.err
