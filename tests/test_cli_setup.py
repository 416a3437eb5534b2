"""`setup` as a user runs it: at a terminal, without one, and what it will not do."""

from pathlib import Path

import pytest

from stacks.environment import load
from stacks.settings import Settings
from tests.command import User

GIVEN = (
    *("--environment", "stage", "--tier", "dev", "--region", "eu-west-1", "--account", "123456789012"),
    *("--access", "internal", "--providers", "bedrock,openai", "--bedrock-models", "a.model-v1:0, b.model"),
    *("--image", "public", "--alarm-email", "ops@example.org", "--nat-gateways", "2"),
)


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
        "make deploy-env ENV=stage",
        "gatestack secret set stage OPENAI_API_KEY",
    ]


@pytest.mark.parametrize("tier", ["dev", "production"])
def test_the_defaults_make_an_environment_that_passes_lint(user: User, tier: str) -> None:
    access = ("--domain-name", "llm.example.org", "--hosted-zone-id", "Z0123")
    done = user.run("setup", "--yes", "--environment", "new", "--tier", tier, *access)
    assert done.code == 0, done.err

    assert written(user, "new").alb.domain_name == "llm.example.org"
    assert user.run("lint", "new").code == 0


def test_a_written_file_means_what_the_shipped_one_means(user: User) -> None:
    assert user.run("setup", "--yes", "--environment", "dev2").code == 0

    assert written(user, "dev2").model_copy(update={"environment": "dev"}) == written(user, "dev")


def test_without_a_terminal_every_missing_answer_is_named(user: User) -> None:
    done = user.run("setup", "--environment", "new", "--access", "domain")

    assert (
        "nobody can be asked here: give --tier, --region, --account, --domain-name, --hosted-zone-id"
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
        (["--environment", "new", "--region", "mars"], "'mars' is no AWS region"),
        (["--environment", "new", "--account", "12"], "--account: '12' is not an account"),
        (
            ["--environment", "new", "--tier", "production", "--access", "http"],
            "--access: production needs HTTPS",
        ),
        (["--environment", "new", "--nat-gateways", "0"], "--nat-gateways: without a NAT gateway this needs"),
        (["--environment", "new", "--nat-gateways", "3"], "--nat-gateways: 3 is unknown; write 0, 1 or 2"),
        (["--environment", "new", "--providers", "bedrock"], "give --bedrock-models (these have no default)"),
        (
            ["--environment", "new", "--access", "http", "--domain-name", "a.org"],
            "--domain-name: does not go",
        ),
        (["--environment", "dev"], "--environment: environments/dev.yaml is there already"),
    ],
)
def test_an_answer_that_cannot_be_is_refused_by_the_files_own_rules(
    user: User, arguments: list[str], message: str
) -> None:
    before = {path: path.read_bytes() for path in (user.folder / "environments").iterdir()}

    done = user.run("setup", "--yes", *arguments)

    assert message in done.err
    assert (done.code, done.out) == (2, "")
    assert {path: path.read_bytes() for path in (user.folder / "environments").iterdir()} == before


def test_force_writes_over_a_file(user: User) -> None:
    assert user.run("setup", "--yes", "--force", "--environment", "dev", "--nat-gateways", "2").code == 0

    assert written(user, "dev").network.nat_gateways == 2


def test_at_a_terminal_a_wrong_answer_is_asked_for_again(user: User) -> None:
    answers = ["dev", "stage", "", "eu-central-1", "", "domain", "LLM", "llm.example.org", "Z0123"]
    typed = "\n".join([*answers, "openai,bedrock", "a.model", "", "", "0", "1", "y", ""])

    done = user.at_a_terminal(typed, "setup")

    assert done.code == 0, done.err
    assert "environments/dev.yaml is there already" in done.err
    assert "'LLM' is not a domain name" in done.err
    assert "without a NAT gateway this needs" in done.err
    settings = written(user, "stage")
    assert (settings.region, settings.alb.hosted_zone_id) == ("eu-central-1", "Z0123")
    assert (settings.service.bedrock_models, settings.network.nat_gateways) == (("a.model",), 1)


def test_the_file_is_shown_and_written_only_on_consent(user: User) -> None:
    done = user.at_a_terminal("stage\n\n\n\n\n\n\n\n\nn\n", "setup")

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
