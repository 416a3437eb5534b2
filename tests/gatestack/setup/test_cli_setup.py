"""`setup` as a user runs it: at a terminal, without one, and what it will not do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from gatestack.setup import draft
from gatestack.setup.question import filed
from gatestack.setup.questions import QUESTIONS
from generator.render import render
from stacks.environment import defaults, is_unused, load, parse_settings
from stacks.settings import Settings, System
from tests.command import User
from tests.covering import only, parameter
from tests.linted import check

GIVEN = (
    *("--environment", "stage", "--tier", "dev", "--region", "eu-west-1", "--account", "123456789012"),
    *("--access", "internal", "--providers", "bedrock,openai", "--bedrock-models", "a.model-v1:0, b.model"),
    *("--image", "public", "--alarm-email", "ops@example.org", "--nat-gateways", "2"),
)
VPC = "vpc-0123456789abcdef0"
PRIVATE, PUBLIC, DATA = (
    tuple(f"subnet-{letter * 8}{number:09}" for number in range(2)) for letter in ("a", "b", "d")
)
IN_A_VPC = (
    *("--vpc-id", VPC, "--vpc-cidr", "10.9.0.0/16"),
    *("--private-subnet-ids", ",".join(PRIVATE), "--public-subnet-ids", ", ".join(PUBLIC)),
)
NEW_LINES = "\n" * 14
"""The answers to what is asked after the environment's name by somebody who takes every default."""
OTHERS = get_args(System)[1:]


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User.at(tmp_path)


def written(user: User, name: str) -> Settings:
    return load(user.folder / "environments" / f"{name}.yaml")


def test_every_answer_can_be_an_option(user: User) -> None:
    done = user.run("setup", *GIVEN)
    assert done.code == 0, done.err

    settings = written(user, "stage")
    assert (settings.environment, settings.region, settings.account) == ("stage", "eu-west-1", "123456789012")
    assert settings.alb.internal
    assert settings.service.providers == ("bedrock", "openai")
    assert settings.service.bedrock_models == ("a.model-v1:0", "b.model")
    assert settings.service.image == "ghcr.io/berriai/litellm-database"
    assert settings.observability.alarm_email == "ops@example.org"
    assert settings.network.nat_gateways == 2


def test_it_ends_with_the_file_and_the_commands_that_come_next(user: User) -> None:
    lines = user.run("setup", *GIVEN).out.splitlines()

    assert lines[0] == "environments/stage.yaml"
    assert [line.partition("#")[0].strip() for line in lines[1:]] == [
        "gatestack plan stage",
        "gatestack deploy stage",
        "gatestack secret set stage OPENAI_API_KEY",
        "gatestack secret get stage LITELLM_MASTER_KEY --reveal",
    ]


@pytest.mark.parametrize(
    ("tier", "stacks"),
    [
        parameter("production", ("--only", "alb"), quick=True),  # the others hold nothing but defaults
        parameter("production", (), quick=False),
        parameter("dev", (), quick=False),
    ],
)
def test_the_defaults_make_an_environment_that_passes_lint(
    user: User, tier: str, stacks: tuple[str, ...]
) -> None:
    access = ("--domain-name", "llm.example.org", "--hosted-zone-id", "Z0123")
    done = user.run("setup", "--yes", "--environment", "new", "--tier", tier, *access)
    assert done.code == 0, done.err

    assert written(user, "new").alb.domain_name == "llm.example.org"
    assert user.run("lint", "new", *stacks).code == 0


def test_a_written_file_means_what_the_shipped_one_means(user: User) -> None:
    assert user.run("setup", "--yes", "--environment", "dev2").code == 0

    assert written(user, "dev2").model_copy(update={"environment": "dev"}) == written(user, "dev")


def test_without_a_terminal_every_missing_answer_is_named(user: User) -> None:
    done = user.run("setup", "--environment", "new", "--access", "domain")

    assert (
        "stdin is not a terminal: give --tier, --region, --account, --domain-name, --hosted-zone-id"
        in done.err
    )
    assert done.code == 2
    assert not (user.folder / "environments" / "new.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--environment", "Dev_1"], "--environment: 'Dev_1' must be 1 to 16 lower-case letters"),
        (
            ["--environment", "new", "--tier", "test"],
            "--tier: 'test' is unknown; write 'dev' or 'production'",
        ),
        (["--environment", "new", "--region", "mars"], "'mars' is not a region like us-east-1"),
        (
            ["--environment", "new", "--account", "12"],
            "--account: 12 has 2 digits, and an AWS account has 12",
        ),
        (
            ["--environment", "new", "--tier", "production", "--access", "http"],
            "--access: production needs HTTPS",
        ),
        (["--environment", "new", "--nat-gateways", "0"], "--nat-gateways: without a NAT gateway this needs"),
        (["--environment", "new", "--nat-gateways", "3"], "--nat-gateways: 3 is unknown; write 0, 1 or 2"),
        (["--environment", "new", "--providers", "bedrock"], "give --bedrock-models (these have no default)"),
        (
            ["--environment", "new", "--access", "http", "--domain-name", "a.org"],
            "--domain-name: does not apply",
        ),
        (["--environment", "dev"], "--environment: environments/dev.yaml exists already"),
        (["--environment", "new", "--system", "litelm"], "--system: 'litelm' is unknown; write 'litellm'"),
        (
            ["--environment", "test", "--system", "llm-testing"],
            "--environment: environments/llm-testing.yaml has the environment test of llm-testing already",
        ),
        (
            ["--environment", "new", "--system", "llm-testing", "--image", "public"],
            "--image: llm-testing has no public image: build one and push it",
        ),
        (
            ["--environment", "new", "--system", "llm-testing", "--providers", "bedrock"],
            "--providers: does not apply",
        ),
        (
            ["--environment", "new", "--system", "llm-proxy", "--providers", "bedrock"],
            "--providers: it calls OpenAI and Anthropic only; write [openai, anthropic], or leave it out",
        ),
        (
            ["--environment", "new", "--vpc-id", "vpc-1"],
            "--vpc-id: 'vpc-1' is not the id of a VPC, vpc- and 8 or 17 hex digits",
        ),
        (
            ["--environment", "new", "--vpc-id", VPC],
            "give --private-subnet-ids, --public-subnet-ids (these have no default)",
        ),
        (
            ["--environment", "new", "--vpc-id", VPC, "--private-subnet-ids", "subnet-01234567"],
            "--private-subnet-ids: needs two subnets in different availability zones, has 1",
        ),
        (
            [*IN_A_VPC, "--environment", "new", "--nat-gateways", "1"],
            "--nat-gateways: does not apply with the other answers",
        ),
    ],
)
def test_an_answer_that_cannot_be_is_refused_by_the_files_own_rules(
    user: User, arguments: list[str], message: str
) -> None:
    before = {path: path.read_bytes() for path in (user.folder / "environments").glob("*.yaml")}

    done = user.run("setup", "--yes", *arguments)

    assert message in done.err
    assert (done.code, done.out) == (2, "")
    assert {path: path.read_bytes() for path in (user.folder / "environments").glob("*.yaml")} == before


def test_force_writes_over_a_file(user: User) -> None:
    assert user.run("setup", "--yes", "--force", "--environment", "dev", "--nat-gateways", "2").code == 0

    assert written(user, "dev").network.nat_gateways == 2


def test_at_a_terminal_a_wrong_answer_is_asked_for_again(user: User) -> None:
    answers = [
        "litelm",
        "",
        "dev",
        "stage",
        "",
        "eu-central-1",
        "",
        "domain",
        "LLM",
        "llm.example.org",
        "Z0123",
    ]
    models = ["openai/gpt-4o-mini, anthropic/x", "openai/gpt-4o-mini, bedrock/a.model"]
    sizes = ["t3.medium", "db.t3.medium", "700", "1024", "100", "6", "maybe", "no"]
    typed = "\n".join([*answers, "openai,bedrock", "a.model", *models, "", "", "", "0", "1", *sizes, "y", ""])

    done = user.at_a_terminal(typed, "setup")

    assert done.code == 0, done.err
    assert "'litelm' is unknown; write 'litellm'" in done.err
    assert "environments/dev.yaml exists already" in done.err
    assert "'LLM' is not a domain name" in done.err
    assert "without a NAT gateway this needs" in done.err
    settings = written(user, "stage")
    assert (settings.region, settings.alb.hosted_zone_id) == ("eu-central-1", "Z0123")
    assert (settings.service.bedrock_models, settings.network.nat_gateways) == (("a.model",), 1)
    assert "nothing sets ANTHROPIC_API_KEY in the tasks; add anthropic to service.providers" in done.err
    assert "700 is not a CPU size of Fargate" in done.err
    assert "'maybe' is neither yes nor no" in done.err
    service = settings.service
    assert (service.cpu, service.memory_mb, service.min_tasks, service.max_tasks) == (1024, 2048, 6, 12)
    assert (service.desired_count, service.spot, settings.database.instance_class) == (
        6,
        False,
        "db.t3.medium",
    )
    assert service.config["model_list"] == [
        {
            "model_name": "gpt-4o-mini",
            "litellm_params": {"model": "openai/gpt-4o-mini", "api_key": "os.environ/OPENAI_API_KEY"},
        },
        {"model_name": "a.model", "litellm_params": {"model": "bedrock/a.model"}},
    ]


def test_the_file_is_shown_and_written_only_on_consent(user: User) -> None:
    done = user.at_a_terminal(f"\nstage\n{NEW_LINES}n\n", "setup")

    assert "environment: stage" in done.err
    assert "nothing was written" in done.err
    assert done.code == 4
    assert not (user.folder / "environments" / "stage.yaml").exists()


def test_in_a_folder_without_environments_one_is_made_only_on_consent(tmp_path: Path) -> None:
    user = User(tmp_path)

    refused = user.run("setup", *GIVEN)
    assert "there is no folder environments here" in refused.err
    assert (refused.code, list(tmp_path.iterdir())) == (2, [])
    assert user.run("setup", *GIVEN, "--yes").code == 0
    assert written(user, "stage").environment == "stage"


def answered(**given: str) -> draft.Answers:
    """The answers of somebody who takes every default but *given*."""
    answers: draft.Answers = {}
    for question in QUESTIONS:
        if question.concerns(answers):
            text = given.get(question.name.replace("-", "_"), question.default(answers))
            assert text is not None, question.name
            answers = question.answered(answers, text)
    return answers


def keys(data: dict[str, Any], above: str = "") -> Iterator[str]:
    for key, value in data.items():
        yield f"{above}{key}"
        if isinstance(value, dict):
            yield from keys(value, f"{above}{key}.")


@pytest.mark.parametrize("tier", ["dev", "production"])
@pytest.mark.parametrize("system", get_args(System))
def test_every_system_has_a_file_that_says_nothing_new_and_nothing_that_is_not_for_it(
    system: str, tier: str
) -> None:
    answers = answered(system=system, environment="new", tier=tier, access="internal")
    text = draft.text(filed(answers))
    said = {key for key in keys(yaml.safe_load(text)) if is_unused(system, key)}
    own = {"system": system, "environment": "new", "tier": tier, "alb": {"internal": True}}

    assert said == set()
    assert parse_settings(text, Path("new.yaml")) == parse_settings(yaml.safe_dump(own), Path("own.yaml"))
    assert ("LiteLLM" in text) == system.startswith("litellm")


@pytest.mark.parametrize("system", only({"llm-proxy"}, OTHERS))
def test_the_file_of_another_system_passes_lint(system: str) -> None:
    answers = answered(system=system, environment="new")

    assert check(render(parse_settings(draft.text(filed(answers)), Path("new.yaml")))) == ()


@pytest.mark.parametrize("system", get_args(System))
def test_an_existing_vpc_is_asked_for_its_subnets_and_for_no_gateway(system: str) -> None:
    given = {"private_subnet_ids": ",".join(PRIVATE), "public_subnet_ids": ",".join(PUBLIC)}
    given |= {"data_subnet_ids": ",".join(DATA), "vpc_id": VPC, "vpc_cidr": "10.9.0.0/16"}
    text = draft.text(filed(answered(system=system, environment="new", **given)))
    network = parse_settings(text, Path("new.yaml")).network

    assert network.existing_vpc is not None
    assert network.existing_vpc.private_subnet_ids == PRIVATE
    assert network.existing_vpc.public_subnet_ids == PUBLIC
    isolated = defaults(system, "dev")["network"]["data_subnets"]
    assert network.existing_vpc.data_subnet_ids == (DATA if isolated else ())
    assert yaml.safe_load(text)["network"].keys() == {"vpc_cidr", "existing_vpc"}


def test_a_load_balancer_inside_the_vpc_needs_no_public_subnets() -> None:
    given = {"access": "internal", "vpc_id": VPC, "private_subnet_ids": ",".join(PRIVATE)}
    answers = answered(system="llm-testing", environment="new", **given)

    assert "network.existing_vpc.public_subnet_ids" not in answers


def test_the_framework_without_a_nat_gateway_gets_the_endpoints_that_it_then_needs() -> None:
    text = draft.text(filed(answered(system="llm-testing", environment="new", nat_gateways="0")))

    assert parse_settings(text, Path("new.yaml")).network.vpc_endpoints
    usual = draft.text(filed(answered(system="llm-testing", environment="new")))
    assert "vpc_endpoints" not in usual


def test_the_models_of_the_framework_are_asked_and_its_provider_is_not() -> None:
    text = draft.text(filed(answered(system="llm-testing", environment="new", bedrock_models="a.one,a.two")))
    service = parse_settings(text, Path("new.yaml")).service

    assert "providers" not in text
    assert (service.providers, service.bedrock_models) == (("bedrock",), ("a.one", "a.two"))


@pytest.mark.parametrize(
    ("system", "image"),
    [
        ("litellm-benchmark", "ghcr.io/berriai/litellm-database"),
        ("llm-proxy", "ghcr.io/sofatutor/llm-proxy"),
        ("llm-testing", "ecr"),
    ],
)
def test_the_image_is_by_default_that_of_the_system(system: str, image: str) -> None:
    assert answered(system=system, environment="new")["service.image"] == image


def test_files_of_other_systems_are_named_after_system_and_environment(user: User) -> None:
    assert user.run("setup", "--yes", "--environment", "qa").out.startswith("environments/qa.yaml\n")
    done = user.run("setup", "--yes", "--environment", "qa", "--system", "llm-testing")

    assert done.out.splitlines()[0] == "environments/llm-testing-qa.yaml"
    assert [line.partition("#")[0].strip() for line in done.out.splitlines()[1:]] == [
        "gatestack plan llm-testing-qa",
        "gatestack deploy llm-testing-qa",
        "gatestack secret get llm-testing-qa api-keys --reveal",
    ]
    assert written(user, "llm-testing-qa").prefix == "qa-llm-testing"


@pytest.mark.parametrize(
    "right",
    only(
        ["1234-5678-9012", " '123456789012' "],
        ["123456789012", '"123456789012"', "1234-5678-9012", " '123456789012' "],
    ),
)
def test_an_account_is_asked_for_in_words_of_the_place_and_taken_as_it_is_copied(
    user: User, right: str
) -> None:
    first = ["", "stage", "", "", "1234", '"1234"', right, "http"]
    typed = "\n".join([*first, *[""] * 12, "y", ""])

    done = user.at_a_terminal(typed, "setup")

    assert done.code == 0, done.err
    assert done.err.count("has 4 digits, and an AWS account has 12: `aws sts get-caller-identity") == 2
    assert "in quotes" not in done.err
    assert written(user, "stage").account == "123456789012"
