"""What commands say to the CI agents they run on, Azure Pipelines and GitHub Actions; nothing elsewhere."""

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.progress import StackOutput
from gatestack import agents
from gatestack.agents import Azure, GitHub, Issue
from sandbox.clock import RealClock
from sandbox.server import Sandbox
from tests.command import User
from tests.deployer.run.test_signals import Desk, in_mid_deployment
from tests.sandbox.sandbox_fakes import world
from tests.sandbox.sandbox_wire import Line

AZURE = {"TF_BUILD": "True"}


@pytest.fixture
def someone(tmp_path: Path) -> User:
    """A user whom no AWS answers."""
    return User.at(tmp_path)


def on(user: User, **variables: str) -> User:
    return replace(user, variables=user.variables | variables)


def on_azure(user: User) -> User:
    return on(user, **AZURE, AGENT_TEMPDIRECTORY=str(user.folder / "temp"))


def on_github(user: User) -> User:
    files = {name: str(user.folder / name.lower()) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    return on(user, GITHUB_ACTIONS="true", **files)


def commands(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(("##", "::"))]


# the words


def test_what_would_end_a_command_of_azure_is_escaped() -> None:
    issue = Issue("error", "50 %; a]b\r\nc", path="a;b]%.yaml", line="3")

    assert Azure().issue(issue) == (
        "##vso[task.logissue type=error;sourcepath=a%3Bb%5D%AZP25.yaml;linenumber=3]50 %AZP25; a]b%0D%0Ac"
    )
    assert Azure().variable("alb_Url", "a%\n") == (
        "##vso[task.setvariable variable=alb_Url;isOutput=true]a%AZP25%0A"
    )


def test_what_would_end_a_command_of_github_is_escaped() -> None:
    issue = Issue("warning", "50 %: a,b\r\nc", path="a:b,%.yaml", line="3")

    assert GitHub().issue(issue) == "::warning file=a%3Ab%2C%25.yaml,line=3::50 %25: a,b%0D%0Ac"
    assert GitHub().issue(Issue("error", "x")) == "::error::x"


def test_a_value_of_several_lines_cannot_end_itself_in_githubs_file() -> None:
    assert GitHub().variable("a", "x=y") == "a=x=y"
    assert GitHub().variable("a", "x\nEND\nb=z") == "a<<END_\nx\nEND\nb=z\nEND_"


def test_each_line_is_an_issue_with_the_place_it_names() -> None:
    assert agents.issues("error", "environments/dev.yaml:3: tier: no\n\n  config.yaml: gone\nelse") == (
        Issue("error", "tier: no", "environments/dev.yaml", "3"),
        Issue("error", "config.yaml: gone"),
        Issue("error", "else"),
    )


HOSTILE = (
    "##vso[task.setvariable variable=a]b",
    "x ##VSO[a]b",
    "##[error]x",
    "::error::x",
    "a\n  ::add-path::x",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_somebody_else_has_written_is_no_command(text: str) -> None:
    said = agents.harmless(text)

    assert "##[" not in said
    assert "##vso[" not in said.lower()
    assert not any(line.strip().startswith("::") for line in said.splitlines())
    assert said.replace("## ", "##").replace(": :", "::") == text


def test_json_without_commands_is_the_same_data() -> None:
    found = {"reason": "##vso[task.complete]", "outputs": ["::error::x"]}

    said = agents.harmless_json(json.dumps(found, indent=2))

    assert "##" not in said
    assert json.loads(said) == found


def test_what_is_said_anyway_stays_as_it_is() -> None:
    text = "## Plan\n| a | b |\narn:aws:iam::123456789012:role/a  x::y"

    assert agents.harmless(text) == text


def test_a_variables_name_is_one_that_both_agents_take() -> None:
    assert agents.names([StackOutput("my-alb", "Url", "u")]) == {"my_alb_Url": "u"}


@pytest.mark.parametrize("variables", [{}, {"TF_BUILD": ""}, {"GITHUB_ACTIONS": "false"}, {"CI": "true"}])
def test_only_an_agent_that_says_so_is_one(variables: dict[str, str]) -> None:
    assert agents.agent(variables) is None


# Azure Pipelines


def test_azure_shows_each_problem_of_a_file_at_its_line(someone: User) -> None:
    someone.edit("dev", "tier: dev", "tier: cheap")
    someone.edit("dev", "instance_class: db.t3.micro", "instance_class: 7")

    plain, done = someone.run("plan", "dev"), on_azure(someone).run("plan", "dev")

    assert (plain.code, done.code, commands(plain.err)) == (2, 2, [])
    places = [line.partition("]")[0] for line in commands(done.err)]
    begin = "##vso[task.logissue type=error;sourcepath=environments/dev.yaml;linenumber="
    assert [place.startswith(begin) for place in places] == [True, True], done.err
    assert len(done.err.splitlines()) == 2


def test_azure_gets_outputs_as_variables_and_stdout_stays_json(deployed: User) -> None:
    done = on_azure(deployed).run("outputs", "local", "--format", "json")

    live = json.loads(done.out)["outputs"]
    assert f"##vso[task.setvariable variable=alb_Url;isOutput=true]{live['alb']['Url']}" in done.err
    made = [line for line in commands(done.err) if "task.setvariable" in line]
    assert len(made) == sum(len(outputs) for outputs in live.values())
    assert deployed.run("outputs", "local", "--format", "json").err == ""


def test_azure_gets_a_deployments_outputs_too_and_no_secret(deployed: User) -> None:
    done = on_azure(deployed).run("deploy", "local", "--yes", "--format", "json")

    live = json.loads(done.out)["outputs"]
    assert f"##vso[task.setvariable variable=alb_Url;isOutput=true]{live['alb']['Url']}" in done.err
    for name in ("LITELLM_MASTER_KEY", "UI_PASSWORD"):
        secret = deployed.run("secret", "get", "local", name, "--reveal").out.strip()
        assert len(secret) > 20
        assert secret not in done.err + done.out


def test_azure_gets_the_plan_attached(deployed: User) -> None:
    deployed.edit(
        "local", "environment: local", "environment: local\nobservability:\n  log_retention_days: 3"
    )

    done = on_azure(deployed).run("plan", "local", "--format", "json", "--detailed-exitcode")

    path = deployed.folder / "temp" / "plan-local.md"
    assert (done.code, json.loads(done.out)["environment"]) == (3, "local")
    assert f"##vso[task.uploadsummary]{path}" in done.err.splitlines()
    assert path.read_text().startswith("## Plan for local\n")


def test_a_plan_is_attached_from_the_checkout_where_the_agent_names_no_folder(deployed: User) -> None:
    done = on(deployed, **AZURE).run("plan", "local")

    path = deployed.folder / "build" / "plan-local.md"
    assert f"##vso[task.uploadsummary]{path}" in done.err.splitlines()
    assert path.is_file()


def test_azure_gets_a_failure_as_an_error_and_the_exit_code_stays(deployed: User, account: Sandbox) -> None:
    account.faults.add({"rollouts": [{"service": "local-litellm-proxy"}]})
    assert isinstance(account.clock, RealClock)
    account.clock.run_at(500.0)  # else it is over before the answer that says that it begins

    done = on_azure(deployed).run("rollout", "local", "--format", "json")

    assert (done.code, json.loads(done.out)["status"]) == (1, "ROLLED_BACK")
    assert done.err.splitlines()[-1].startswith(
        "##vso[task.logissue type=error]local-litellm-proxy: ECS rolled"
    )


def test_a_reason_from_aws_is_no_command_of_an_agent(deployed: User, account: Sandbox) -> None:
    reason = "no ##vso[task.setvariable variable=PATH]/evil"
    account.faults.add({"resources": [{"logical_id": "Service", "operation": "update", "reason": reason}]})

    done = on_azure(deployed).run("rollout", "local", "--image-tag", "v1.90.1", "--yes")
    shown = on_azure(deployed).run("events", "local", "--stack", "service", "--format", "json")

    said = [line for line in done.err.splitlines() if "variable=PATH" in line]
    assert done.code == 1
    assert [line for line in said if "##vso[" in line] == [done.err.splitlines()[-1]]
    assert done.err.splitlines()[-1].startswith("##vso[task.logissue type=error]")
    assert len(said) > 1
    assert "##vso[" not in shown.out
    assert reason in {event["reason"] for event in json.loads(shown.out)["events"]}


def test_azure_gets_each_finding_of_lint(someone: User, tmp_path: Path) -> None:
    assert someone.run("generate", "dev", "--out", "rendered").code == 0
    template = someone.folder / "rendered" / "network.json"
    template.write_text(template.read_text().replace('"CidrBlock": "10.', '"CidrBlock": "310.', 1))

    done = on_azure(someone).run("lint", "rendered", "--only", "network")

    findings = done.out.splitlines()
    assert (done.code, len(findings)) == (1, 1)
    assert f"##vso[task.logissue type=error]{findings[0]}" in done.err


def test_azure_gets_advice_and_a_refusal_by_the_command_line(someone: User) -> None:
    someone.edit("dev", "  spot: true", "  spot: true\n  memory_mb: 1024")
    advised = on_azure(someone).run("lint", "dev", "--only", "service")
    refused = on_azure(someone).run("deploy", "dev", "--plan", "none.json", "--only", "alb")

    assert advised.code == 0
    assert "##vso[task.logissue type=warning]service.memory_mb: 1024 MB is little" in advised.err
    assert refused.code == 2
    assert refused.err.splitlines()[-1].startswith("##vso[task.logissue type=error]--only and")
    assert refused.err.startswith("Usage: gatestack deploy")


def test_a_cancelled_run_on_azure_ends_as_anywhere(tmp_path: Path) -> None:
    with world() as box:
        desk = Desk(Line(box), tmp_path, **AZURE)
        with desk.command("deploy", "built", "--yes") as run:
            in_mid_deployment(desk, run)
            run.send(signal.SIGTERM)
            assert "AWS continues with keys, net" in run.until("starting nothing more")
            desk.aws.sandbox.finish()
            code, text = run.end()

    assert code == 130
    assert desk.aws.change_sets() == []
    assert "  gatestack deploy built  # resume" in text


# GitHub Actions


def test_github_shows_each_problem_of_a_file_at_its_line(someone: User) -> None:
    someone.edit("dev", "tier: dev", "tier: cheap")

    done = on_github(someone).run("lint", "dev")

    assert done.code == 2
    assert done.err.startswith("::error file=environments/dev.yaml,line=5::tier")
    assert len(done.err.splitlines()) == 1


def test_github_gets_outputs_and_the_plan_in_its_files(deployed: User) -> None:
    there = on_github(deployed)
    done, planned = there.run("outputs", "local", "--format", "json"), there.run("plan", "local")

    url = json.loads(done.out)["outputs"]["alb"]["Url"]
    assert f"alb_Url={url}\n" in (deployed.folder / "github_output").read_text()
    assert "## Plan for local\n" in (deployed.folder / "github_step_summary").read_text()
    assert "::warning::alb: no HTTPS" in planned.err


def test_github_gets_a_warning_of_a_run(deployed: User) -> None:
    done = on_github(deployed).run("rollout", "local", "--image-tag", "v1.92.0", "--yes")

    assert done.code == 0, done.err
    assert any(
        line.startswith("::warning::the file of local still says service.image_tag")
        for line in commands(done.err)
    )
