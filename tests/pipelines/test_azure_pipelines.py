"""The Azure pipelines as files: the schema, the names they use, what every job must have; our expander."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import check_jsonschema
import click
import pytest
import yaml
from check_jsonschema.transforms.azure_pipelines import AZURE_TRANSFORM
from jsonschema import Draft7Validator

from deployer.progress import StackOutput
from gatestack.agents import names
from gatestack.cli import cli
from gatestack.environment import resolve
from stacks import STACKS
from stacks.bootstrap import trusted
from stacks.environment import parse_settings
from tests.pipelines.pipeline_agent import MACRO
from tests.pipelines.pipelines import (
    FOLDER,
    FUNCTIONS,
    ROOTS,
    TEMPLATES,
    Expander,
    Wrong,
    evaluate,
    jobs_of,
    name_of,
    needed,
    steps_of,
    written,
)

S1 = {
    *(f"azure-pipelines-{name}.yml" for name in ("security", "network", "alb", "database", "litellm")),
    *(f"azure-pipelines-litellm-{name}.yml" for name in ("config", "update")),
    *(
        f"azure-pipelines-teardown-{name}.yml"
        for name in ("litellm", "database", "alb", "network", "security")
    ),
    "azure-pipelines-teardown.yml",
    "azure-pipelines-validate.yml",
}
"""What the LiteLLM architecture guide has by these names, with its three templates."""

CHOICES: Mapping[str, list[dict[str, str]]] = {
    "azure-pipelines-litellm.yml": [{"buildImage": "false"}],
    "azure-pipelines-litellm-config.yml": [{"imageTag": "v2"}],
    "azure-pipelines-litellm-update.yml": [{"imageTag": "v2"}],
    "azure-pipelines-environment.yml": [
        {"imageTag": "v2", "verify": "false"}, {"allowReplace": "Database"},
    ],
    "azure-pipelines-teardown.yml": [{"force": "true"}],
    "azure-pipelines-teardown-alb.yml": [{"force": "true"}],
}  # fmt: skip
"""Parameters with which every branch of the files is taken, beside the defaults."""

VARIANTS = [
    (root, ({"confirm": "dev"} if "teardown" in root else {}) | given)
    for root in ROOTS
    for given in ({}, *CHOICES.get(root, []))
]
every_variant = pytest.mark.parametrize(
    ("root", "given"),
    VARIANTS,
    ids=lambda one: one[16:-4] if isinstance(one, str) else "-".join(one.values()),
)

PREDEFINED = {
    "Agent.TempDirectory", "Build.ArtifactStagingDirectory", "Build.BuildId", "Build.SourceVersion",
    "Build.SourcesDirectory", "Pipeline.Workspace", "System.AccessToken", "System.OidcRequestUri",
}  # fmt: skip
"""Azure DevOps docs, "Use predefined variables"."""

IN_THE_LIBRARY = {
    "AWS_PLAN_ROLE_ARN", "AWS_DEPLOY_ROLE_ARN", "SERVICE_CONNECTION_ID", "PLAN_SERVICE_CONNECTION_ID",
}  # fmt: skip
"""What docs/pipelines.md puts into the variable group of an environment."""

CHANGING = {"deploy", "destroy", "rollout", "image"}


@cache
def schema() -> Mapping[str, Any]:
    """Return Azure Pipelines' schema, with the one task that is not Azure's own."""
    path = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor" / "azure-pipelines.json"
    whole: dict[str, Any] = json.loads(path.read_text())
    task = whole["definitions"]["task"]
    task["properties"]["task"]["anyOf"].append({"enum": ["AWSShellScript@1"]})
    inputs = {key: {"type": "string"} for key in ("awsCredentials", "scriptType", "inlineScript")}
    takes = {"properties": inputs, "additionalProperties": False, "required": ["awsCredentials"]}
    task["anyOf"].append({"properties": {"task": {"enum": ["AWSShellScript@1"]}, "inputs": takes}})
    return whole


@cache
def validator(definition: str) -> Draft7Validator:
    return Draft7Validator({**schema(), "oneOf": [{"$ref": f"#/definitions/{definition}"}]})


def objections(document: Any, definition: str = "pipeline") -> list[str]:
    found = validator(definition).iter_errors(document)
    return [f"{'/'.join(map(str, one.absolute_path))}: {one.message[:200]}" for one in found]


@cache
def _expanded(root: str, given: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    return Expander().pipeline(root, dict(given))


def expanded(root: str, given: Mapping[str, str]) -> dict[str, Any]:
    """Return a pipeline as it runs; nobody changes it."""
    return _expanded(root, tuple(given.items()))


def raw(path: Path) -> dict[str, Any]:
    whole: dict[str, Any] = yaml.load(path.read_text(), yaml.BaseLoader)  # noqa: S506 - all scalars stay text
    return whole


def scripts(pipeline: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield every job with each of its steps that runs a script."""
    for _, job in jobs_of(pipeline):
        for step in steps_of(job):
            if "bash" in step:
                yield job, step


def test_every_file_of_the_architecture_guide_is_there_by_its_name() -> None:
    assert set(ROOTS) >= S1
    assert set(TEMPLATES) >= {"aws-cfn-deploy.yml", "aws-ecr-build.yml", "check-prerequisites.yml"}


@every_variant
def test_a_pipeline_as_it_runs_is_by_azures_schema(root: str, given: dict[str, str]) -> None:
    assert objections(written(expanded(root, given))) == []


@pytest.mark.parametrize("name", [*ROOTS, *(f"templates/{name}" for name in TEMPLATES)])
def test_a_file_as_it_stands_is_by_azures_schema(name: str) -> None:
    whole = raw(FOLDER / name)
    kind = next((key for key in ("stages", "jobs", "steps") if key in whole), "variables")
    definition = "pipeline" if name in ROOTS else f"{kind}Template"

    assert objections(AZURE_TRANSFORM.on_data(whole), definition) == []
    assert all("type" in one for one in whole.get("parameters", []))


def test_the_schema_refuses_what_azure_does_not_know() -> None:
    whole = written(Expander().pipeline("azure-pipelines-validate.yml"))
    whole["stages"][0]["jobs"][0]["timeout"] = "5"

    assert objections(whole) != []


def test_every_step_that_is_written_runs_in_some_variant() -> None:
    run = {step["bash"] for root, given in VARIANTS for _, step in scripts(expanded(root, given))}

    def all_of(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            yield from ([node["bash"]] if "bash" in node else [])
        for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []:
            yield from all_of(one)

    texts = {text for path in FOLDER.rglob("*.yml") for text in all_of(raw(path))}
    never = [
        text
        for text in texts
        if not any(
            re.fullmatch(re.sub(r"\\\$\\\{\\\{.*?\\\}\\\}", "[^\n]*", re.escape(text)), one) for one in run
        )
    ]
    assert never == []


@every_variant
def test_every_make_target_command_and_option_of_a_step_exists(root: str, given: dict[str, str]) -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (FOLDER.parents[1] / "Makefile").read_text()))
    problems = []
    for _, step in scripts(expanded(root, given)):
        for line in step["bash"].splitlines():
            words = shlex.split(line, comments=True) if "gatestack " in line or "make " in line else []
            words = words[1:] if words[:1] == ["exec"] else words
            words = words[: words.index(">")] if ">" in words else words
            if words[:1] == ["make"] and words[1] not in targets:
                problems.append(f"make has no {words[1]}")
            if words[:1] == ["gatestack"]:
                problems += list(unknown(words[1:]))
    assert problems == []


def unknown(words: list[str]) -> Iterator[str]:
    """Yield what is wrong with a gatestack command: its name, an option, a stack; read by click itself."""
    context = click.Context(cli)
    command = cli.get_command(context, words[0])
    if command is None:
        yield f"there is no command {words[0]}"
        return
    options = {text: one for one in command.params for text in one.opts if text.startswith("--")}
    for place, word in enumerate(words[1:], 1):
        if word.startswith("--") and word not in options:
            yield f"{words[0]} has no option {word}"
        if word == "--only" and words[place + 1] not in STACKS:
            yield f"there is no stack {words[place + 1]}"
    try:
        command.make_context(words[0], [word.replace("$", "") for word in words[1:]], obj=None)
    except click.ClickException as error:
        yield f"{' '.join(words)}: {error.format_message()}"


@every_variant
def test_every_variable_of_a_step_is_defined(root: str, given: dict[str, str]) -> None:
    pipeline = expanded(root, given)
    variables = {one["name"] for one in pipeline["variables"] if "name" in one}
    groups = [one["group"] for one in pipeline["variables"] if "group" in one]
    assert groups == ["gatestack-dev"]
    problems = []
    for job, step in scripts(pipeline):
        known = variables | set(job.get("variables", {})) | IN_THE_LIBRARY
        for text in (step["bash"], *step.get("env", {}).values()):
            problems += [f"$({name})" for name in MACRO.findall(text) if name not in PREDEFINED | known]
        here = set(re.findall(r"(?m)^\s*(?:local )?([a-z]+)=", step["bash"]))
        here |= {name for line in re.findall(r"local ([a-z ]+)", step["bash"]) for name in line.split()}
        here |= set(re.findall(r"\bfor ([a-z]+) in ", step["bash"]))
        used = set(re.findall(r"\$\{?([A-Za-z_]\w*)", step["bash"]))
        problems += sorted(used - here - known - set(step.get("env", {})))
    assert problems == []


@every_variant
def test_every_condition_has_a_status_function_and_every_output_a_step_that_gives_it(
    root: str, given: dict[str, str]
) -> None:
    pipeline = expanded(root, given)
    before: list[str] = []
    for stage in pipeline["stages"]:
        waits = needed(stage, before, chained=True)
        assert set(waits) <= set(before)
        before.append(stage["stage"])
        check_condition(stage.get("condition"), waits)
        for job in stage["jobs"]:
            check_condition(job.get("condition"), needed(job, [], chained=False))
    for place, step, variable in outputs_used(pipeline):
        giver = steps_at(pipeline, place)[step]
        assert variable in given_by(giver["bash"]), f"{step} of {place} gives no {variable}"


def check_condition(condition: str | None, waits: list[str]) -> None:
    if condition is None:
        return
    assert re.search(r"\b(succeeded|succeededOrFailed|canceled)\(\)", condition), condition
    assert set(re.findall(r"\bdependencies\.(\w+)\.", condition)) <= set(waits), condition


def outputs_used(pipeline: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], str, str]]:
    """Yield each output that a condition or a variable reads: (stage, job), step, name."""
    for stage in pipeline["stages"]:
        text = stage.get("condition", "")
        for source, job, step, variable in re.findall(
            r"dependencies\.(\w+)\.outputs\['(\w+)\.(\w+)\.(\w+)'\]", text
        ):
            yield (source, job), step, variable
        for job in stage["jobs"]:
            for text in (job.get("condition", ""), *job.get("variables", {}).values()):
                across = r"stageDependencies\.(\w+)\.(\w+)\.outputs\['(\w+)\.(\w+)'\]"
                for source, other, step, variable in re.findall(across, text):
                    yield (source, other), step, variable
                for other, step, variable in re.findall(
                    r"\bdependencies\.(\w+)\.outputs\['(\w+)\.(\w+)'\]", text
                ):
                    yield (stage["stage"], other), step, variable


def steps_at(pipeline: Mapping[str, Any], place: tuple[str, str]) -> dict[str, Mapping[str, Any]]:
    job = next(job for stage, job in jobs_of(pipeline) if (stage["stage"], name_of(job)) == place)
    assert "job" in job, "the outputs of a deployment job have another name"
    return {step["name"]: step for step in steps_of(job) if "name" in step}


def given_by(script: str) -> set[str]:
    """Return the names of the variables that a command makes."""
    command = script.split()[2]
    if command == "outputs":
        stacks = resolve("dev").manifest().stacks
        return {
            re.sub(r"\W", "_", f"{stack.name}_{key}")
            for stack in stacks
            for key in json.loads(stack.template).get("Outputs", {})
        }
    return {"plan": {"changes"}, "image": {"image", "image_tag"}}[command]


@every_variant
def test_what_a_job_downloads_an_earlier_stage_has_published(root: str, given: dict[str, str]) -> None:
    published: set[str] = set()
    for stage in expanded(root, given)["stages"]:
        steps = [step for job in stage["jobs"] for step in steps_of(job)]
        assert {step["artifact"] for step in steps if "download" in step} <= published
        published |= {step["artifact"] for step in steps if "publish" in step}


@every_variant
def test_every_job_is_limited_checked_out_and_locked(root: str, given: dict[str, str]) -> None:
    pipeline = expanded(root, given)
    deployments = [job for _, job in jobs_of(pipeline) if "deployment" in job]
    assert (pipeline.get("lockBehavior") == "sequential") == bool(deployments)
    assert (pipeline["trigger"], pipeline["pr"], pipeline["pool"]) == (
        "none",
        "none",
        {"vmImage": "ubuntu-24.04"},
    )
    for _, job in jobs_of(pipeline):
        assert int(job["timeoutInMinutes"]) > 0
        assert steps_of(job)[0]["checkout"] == "self"
        assert steps_of(job)[1]["task"] == "UsePythonVersion@0"
        assert name_of(job).lower() not in {"deploy", "deployment"}
    for job in deployments:
        assert job["environment"] == "gatestack-dev"


@every_variant
def test_what_changes_aws_is_a_deployment_and_gets_the_signals(root: str, given: dict[str, str]) -> None:
    for job, step in scripts(expanded(root, given)):
        called = re.findall(r"(?<!\()gatestack (\w+)", step["bash"])  # a message may name one in brackets
        if set(called) & (CHANGING - {"image"}):
            assert "environment" in job
        if called and "prependpath" not in step["bash"]:
            assert re.fullmatch(r"exec gatestack .*", step["bash"])


@every_variant
def test_no_secret_is_in_a_variable_and_the_jobs_token_goes_to_the_steps_that_need_it(
    root: str, given: dict[str, str]
) -> None:
    pipeline = expanded(root, given)
    named = [one.get("name", "") for one in pipeline["variables"]]
    assert [name for name in named if re.search(r"(?i)secret|password|token|key", name)] == []
    for _, step in scripts(pipeline):
        holds = any("System.AccessToken" in value for value in (step["bash"], *step.get("env", {}).values()))
        assert holds == (step["displayName"] in {"AWS credentials", "Plan, as a comment"})
        assert "issecret" not in step["bash"].lower()


def credentials_of(job: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the role that a job takes, and the service connection whose token it takes it by."""
    steps = steps_of(job)
    connections = [one["inputs"]["awsCredentials"] for one in steps if one.get("task") == "AWSShellScript@1"]
    roles = [one["env"]["ROLE"] for one in steps if one.get("displayName") == "AWS credentials"]
    return [(role, "".join(connections)) for role in roles]


@every_variant
def test_every_job_has_one_role_and_only_the_stage_that_changes_aws_can_name_the_one_that_deploys(
    root: str, given: dict[str, str]
) -> None:
    """Checks of a service connection hold up a whole stage, so no job of it runs before the approval."""
    for stage in expanded(root, given)["stages"]:
        changing = any("deployment" in job for job in stage["jobs"])
        for job in stage["jobs"]:
            asks_aws = re.findall(r"gatestack (\w+)", " ".join(one.get("bash", "") for one in steps_of(job)))
            offline = {"lint", "generate"} >= {one for one in asks_aws if one != "on"}
            expected = ("AWS_DEPLOY_ROLE_ARN", "gatestack-dev") if changing else ("AWS_PLAN_ROLE_ARN", "")
            assert credentials_of(job) == ([] if offline else [expected]), (stage["stage"], name_of(job))
        if not changing:
            text = json.dumps(stage)
            assert "AWS_DEPLOY_ROLE_ARN" not in text
            assert "gatestack-dev" not in text


def test_a_job_that_pushes_an_image_waits_for_the_same_approval() -> None:
    stages = {one["stage"]: one for one in expanded("azure-pipelines-litellm.yml", {})["stages"]}
    image = next(job for job in stages["Apply"]["jobs"] if name_of(job) == "Image")

    assert credentials_of(image) == [("AWS_DEPLOY_ROLE_ARN", "gatestack-dev")]


@every_variant
def test_bootstrap_trusts_every_job_for_its_role_and_for_no_other(root: str, given: dict[str, str]) -> None:
    """By the file that docs/pipelines.md shows; a job's own token names its pipeline."""
    page = (FOLDER.parents[1] / "docs" / "pipelines.md").read_text()
    shown = textwrap.dedent(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    file = {"system": "litellm", "environment": "dev"} | yaml.safe_load(shown)
    (trust,) = trusted(parse_settings(yaml.safe_dump(file), Path("dev.yaml")))
    place = "my-organization/gateway"
    pipeline = root.removesuffix(".yml").replace("azure-pipelines", "gatestack")
    for _, job in jobs_of(expanded(root, given)):
        for role, connection in credentials_of(job):
            subject = f"sc://{place}/{connection}" if connection else f"p://{place}/{pipeline}"
            deploys = role == "AWS_DEPLOY_ROLE_ARN"
            assert (subject in trust.deploy) == deploys
            assert subject not in (trust.plan if deploys else trust.deploy)
            if pipeline in page.partition("The organization's GUID")[0]:
                assert deploys or subject in trust.plan


def test_a_connection_that_only_plans_is_named_where_there_is_one(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "templates" / "variables.yml"
    text = path.read_text()
    assert text.count("- name: planServiceConnection\n  value: ''") == 1
    path.write_text(
        text.replace(
            "- name: planServiceConnection\n  value: ''",
            "- name: planServiceConnection\n  value: gatestack-${{ parameters.ENV }}-plan",
        )
    )

    pipeline = Expander(tmp_path).pipeline("azure-pipelines-security.yml", {"ENV": "prod"})

    assert [credentials_of(job) for _, job in jobs_of(pipeline)] == [
        [("AWS_PLAN_ROLE_ARN", "gatestack-prod-plan")],
        [("AWS_DEPLOY_ROLE_ARN", "gatestack-prod")],
        [("AWS_PLAN_ROLE_ARN", "gatestack-prod-plan")],
    ]
    assert objections(written(pipeline)) == []


def test_the_one_task_of_the_marketplace_names_a_service_connection_and_does_nothing() -> None:
    found = [step for root, given in VARIANTS for _, job in jobs_of(expanded(root, given))
             for step in steps_of(job) if "task" in step]  # fmt: skip

    assert {step["task"] for step in found} == {"UsePythonVersion@0", "AWSShellScript@1"}
    assert {step["inputs"]["inlineScript"] for step in found if step["task"] == "AWSShellScript@1"} == {
        "true"
    }


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("eq('Dev', 'dev')", True),
        ("eq(parameters.on, 'True')", True),
        ("and(not(parameters.on), eq(1, 1))", False),
        ("or(in('b', 'a', 'B'), false)", True),
        ("notIn(parameters.text, 'a', 'it''s')", False),
        ("ne(parameters['text'], '')", True),
    ],
)
def test_an_expression_has_the_value_that_azure_gives_it(expression: str, value: object) -> None:
    known = {"on": True, "text": "it's"}

    assert evaluate(expression, lambda path: known[path[1]], FUNCTIONS) == value


@pytest.mark.parametrize(
    ("root", "template", "told"),
    [
        ("parameters: {n: twelve}", "type: number", "t.yml: n: 'twelve' is no number"),
        ("parameters: {n: maybe}", "type: boolean", "t.yml: n: 'maybe' is no boolean"),
        ("parameters: {n: '${{ eq(1, 1) }}'}", "type: string", "t.yml: n: True is no string"),
        ("parameters: {n: c}", "type: string\n  values: [a, b]", "t.yml: n is 'c', and not one of a, b"),
        ("parameters: {}", "type: string", "t.yml: the parameter n is missing"),
        ("parameters: {n: a, m: b}", "type: string", "t.yml has no parameter m"),
        ("parameters: {n: a}", "default: a", "t.yml: the parameter n has no type"),
        ("parameters: {n: '${{ parameters.x }}'}", "type: string", "r.yml: there is no parameters.x"),
        ("parameters: {n: '${{ eq(1, }}'}", "type: string", "r.yml: ' eq(1, ': there should be more"),
        (
            "parameters: {n: '${{ upper(1) }}'}",
            "type: string",
            "r.yml: ' upper(1) ': there is no function upper",
        ),
        ("steps: []", "type: string", "r.yml: a template reference has no steps"),
    ],
)
def test_a_wrong_reference_to_a_template_is_refused(
    tmp_path: Path, root: str, template: str, told: str
) -> None:
    (tmp_path / "r.yml").write_text(f"steps:\n- template: t.yml\n  {root}\n")
    (tmp_path / "t.yml").write_text(f"parameters:\n- name: n\n  {template}\nsteps:\n- bash: echo\n")

    with pytest.raises(Wrong, match=re.escape(told)):
        Expander(tmp_path).pipeline("r.yml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("steps:\n- template: none.yml\n", "r.yml: there is no none.yml"),
        ("jobs:\n- template: t.yml\n", "r.yml: t.yml holds steps, not jobs"),
        ("steps:\n- ${{ else }}:\n  - bash: a\n", "r.yml: else without if"),
    ],
)
def test_a_template_in_the_wrong_place_is_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "r.yml").write_text(text)
    (tmp_path / "t.yml").write_text("steps:\n- bash: echo\n")

    with pytest.raises(Wrong, match=re.escape(told)):
        Expander(tmp_path).pipeline("r.yml")


def test_conditions_and_loops_are_expanded_where_they_stand(tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text(
        """
parameters:
- {name: many, type: object, default: [a, b]}
- {name: on, type: boolean, default: false}
steps:
- ${{ each one in parameters.many }}:
  - bash: echo ${{ one }}
    ${{ if eq(one, 'a') }}:
      name: first
    ${{ else }}:
      name: other
- ${{ if parameters.on }}:
  - bash: x
- ${{ elseif eq(1, 1) }}:
  - bash: y
- ${{ else }}:
  - bash: z
"""
    )

    assert Expander(tmp_path).pipeline("r.yml")["steps"] == [
        {"bash": "echo a", "name": "first"}, {"bash": "echo b", "name": "other"}, {"bash": "y"},
    ]  # fmt: skip


def test_the_names_of_outputs_are_those_that_the_commands_give() -> None:
    assert names([StackOutput("service", "EcrRepositoryUri", "x")]).keys() <= given_by(
        "exec gatestack outputs"
    )


# a central repository


def test_a_team_s_pipeline_has_the_stages_of_the_central_repository_and_its_own_checks_apart(
    tmp_path: Path,
) -> None:
    """The file that docs/pipelines.md shows, in a repository with nothing else of Azure's."""
    page = (FOLDER.parents[1] / "docs" / "pipelines.md").read_text()
    (shown,) = re.findall(r"```yaml\n(# azure-pipelines\.yml of the team\n.*?)```", page, re.DOTALL)
    (tmp_path / "azure-pipelines.yml").write_text(shown)
    central = {"platform/gatestack": FOLDER.parents[1]}

    team = Expander(tmp_path, repositories=central).pipeline("azure-pipelines.yml")
    ours = Expander().pipeline("azure-pipelines-environment.yml", {"ENV": "prod"})

    assert objections(written(team)) == []
    lint, *rest = team["stages"]
    assert rest == ours["stages"][1:]
    assert lint["jobs"][:-1] == ours["stages"][0]["jobs"]
    checks = written(lint["jobs"][-1])
    assert [step.get("bash") for step in checks["steps"]][-1] == 'exec gatestack policy "$ENV" --rules rules'
    assert "gatestack-prod" in json.dumps(team["variables"])
    assert "aws-credentials" not in json.dumps(checks)
    assert not any("role" in json.dumps(step) for step in checks["steps"])


def test_a_central_repository_is_used_by_a_tag(tmp_path: Path) -> None:
    text = (
        "resources: {repositories: [{repository: g, type: git, name: a/b, ref: refs/heads/main}]}\n"
        "extends: {template: x.yml@g}\n"
    )
    (tmp_path / "p.yml").write_text(text)

    with pytest.raises(Wrong, match="g is no tag"):
        Expander(tmp_path, repositories={"a/b": tmp_path}).pipeline("p.yml")
    (tmp_path / "p.yml").write_text("extends: {template: x.yml@g}\n")
    with pytest.raises(Wrong, match="no repository has the alias g"):
        Expander(tmp_path).pipeline("p.yml")
