"""No text of an environment file is a secret or fetches one; what is harmless is left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gatestack.catalogue import catalogue
from stacks.checking.secret_texts import is_secret, names_a_secret
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.known_secrets import put_in
from stacks.systems import application
from tests.command import User

SECRETS = [
    "sk-" + "a1B2" * 10,
    "sk-ant-" + "api03-abc",
    "sk-1234",
    "pk-lf-" + "12345678-1234",
    "AKIA" + "A" * 16,
    "ASIA" + "B" * 16,
    "ghp_" + "a1" * 18,
    "gho_" + "a1" * 18,
    "github_pat_" + "a1" * 18,
    "glpat-" + "a1" * 10,
    "xoxb-" + "1234567890-abc",
    "xoxp-" + "1234567890-abc",
    "xapp-" + "1-A0123456789-123",
    "AIza" + "b" * 35,
    "hf_" + "a1" * 15,
    "npm_" + "a1" * 18,
    "gsk_" + "a1" * 20,
    "xai-" + "a1" * 20,
    "sk_live_" + "a1" * 10,
    "eyJ" + "hbGciOiJI" + ".eyJ" + "zdWIiOiIxMj" + "." + "SflKxwRJSMe",
    "-----BEGIN " + "RSA PRIVATE KEY-----",
    "https://hooks.slack.com" + "/services/T0/B0/x",
    "https://discord.com" + "/api/webhooks/1/x",
    "https://x.webhook.office.com" + "/webhookb2/1",
    "https://example.com/hook?sig=" + "abcdef123456",
    "postgresql://me:" + "hush@db/x",
    "https://:" + "hush@example.com",
    "redis://default:" + "hush1@cache:6379",
    "host=db password=" + "hushhush",
    "AccountName=x;AccountKey=" + "abcdef123456==",
    "Bearer " + "abcdef1234567890",
]
HARMLESS = [
    "gpt-4o-mini",
    "anthropic/claude-3-5-sonnet-20241022",
    "bedrock/us.amazon.nova-pro-v1:0",
    "us-east-1",
    "arn:aws:iam::123456789012:role/dev-litellm-task",
    "arn:aws:secretsmanager:us-east-1:123456789012:secret:a",
    "https://example.com/v1?model=gpt-4o",
    "https://example.com:8443/a@b",
    "https://example.com:8443?to=@b",
    "https://example.com:8443#a@b",
    "http://10.0.0.1:4000/health",
    "redis://cache:6379/0",
    "postgresql://db.example.com:5432/litellm",
    "me@example.com",
    "os.environ/OPENAI_API_KEY",
    "sha256:" + "0123456789abcdef" * 4,
    "0123456789abcdef" * 4,
    "61c028b9-510c-4f84-bfb2-f48d33b6b542",
    "true",
    "v1.108.7",
    "ghcr.io/berriai/litellm-database",
    "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:b",
    "INFO",
    "eyJtb2RlbF9saXN0IjogW119",
    "bW9kZWxfbGlzdDogW10K",
    "task-runner-2024",
    "risk-assessment-2024",
    "sk-learn",
    "scram-sha-256",
    "pg_stat_statements,auto_explain",
    "md5",
    "hf-inference",
    "npm-mirror",
    "/v1/keys?page=2",
    "Basic monthly subscription",
    "Bearer token expected",
    "-----BEGIN CERTIFICATE-----",
    "key=value",
    "https://discord.com/channels/1",
    "https://slack.com/help",
    "AKIA",
    "{{ user }}",
    "max_tokens=4096",
    "a;b=c",
]


def refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(EnvironmentFileError) as error:
        parse_settings(text, tmp_path / "dev.yaml")
    return str(error.value)


def of(**sections: Any) -> str:
    return yaml.safe_dump({"system": "litellm", "environment": "dev", **sections}, sort_keys=False)


@pytest.mark.parametrize("text", SECRETS, ids=lambda text: text[:8])
def test_what_looks_like_a_secret_by_itself_is_refused_under_any_name(tmp_path: Path, text: str) -> None:
    places = {
        "service.environment.PLAIN": {"service": {"environment": {"PLAIN": text}}},
        "service.parameters.plain": {"service": {"parameters": {"plain": text}}},
        "service.config.litellm_settings.plain[0]": {
            "service": {
                "config": {
                    "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
                    "litellm_settings": {"plain": [text]},
                }
            }
        },
        "database.parameters.plain": {"database": {"parameters": {"plain": text}}},
        "tags.plain": {"tags": {"plain": text}},
    }
    for place, sections in places.items():
        told = refused(tmp_path, of(**sections))

        assert f"{place}: " in told
        assert "secret" in told
        assert text not in told


@pytest.mark.parametrize("text", HARMLESS, ids=lambda text: text[:20])
def test_what_is_harmless_is_left_alone(tmp_path: Path, text: str) -> None:
    assert not is_secret(text)

    sections = {"service": {"environment": {"PLAIN": text}}, "database": {"parameters": {"plain": text}}}
    assert parse_settings(of(**sections), tmp_path / "dev.yaml").service.environment == {"PLAIN": text}


@pytest.mark.parametrize(
    "name",
    ["LITELLM_LICENSE", "SLACK_WEBHOOK_URL", "MS_TEAMS_WEBHOOK", "X_CREDENTIALS", "TOKEN", "my-licence"],
)
def test_a_name_that_says_secret_is_one(name: str) -> None:
    assert names_a_secret(name)


@pytest.mark.parametrize(
    "name", ["MAX_TOKENS", "MONKEY", "KEYCLOAK_HOST", "TOKENIZERS_PARALLELISM", "PASSWORDLESS"]
)
def test_a_name_that_only_contains_such_a_word_is_none(name: str) -> None:
    assert not names_a_secret(name)


REFERENCES = [
    "{{resolve:secretsmanager:prod-litellm/master-key}}",
    "{{resolve:ssm:/a:1}}",
    "x{{resolve:ssm-secure:a}}y",
    "{{ resolve:ssm:a }}",
    "{{RESOLVE:ssm:a}}",
    "{{resolve :other:a}}",
    "{{\tresolve:secretsmanager:a::b}}",
]


@pytest.mark.parametrize("text", REFERENCES)
def test_a_dynamic_reference_is_refused_with_its_line_wherever_it_stands(tmp_path: Path, text: str) -> None:
    config = {
        "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
        "router_settings": {"a": text},
    }
    places: dict[str, dict[str, Any]] = {
        "service.environment.PLAIN": {"service": {"environment": {"PLAIN": text}}},
        "service.config.router_settings.a": {"service": {"config": config}},
        "database.parameters.plain": {"database": {"parameters": {"plain": text}}},
        "tags.plain": {"tags": {"plain": text}},
    }
    if " " not in text and "\t" not in text:
        places["alb.health_check.path"] = {"alb": {"health_check": {"path": f"/{text}"}}}
        places["service.health_check.path"] = {"service": {"health_check": {"path": f"/{text}"}}}
    for place, sections in places.items():
        line = 1 + ["resolve" in one.lower() for one in of(**sections).splitlines()].index(True)

        told = refused(tmp_path, of(**sections))

        assert f"dev.yaml:{line}: {place}: CloudFormation would put a secret or parameter in here" in told


def test_the_remedy_of_a_secret_works_to_its_end(tmp_path: Path) -> None:
    """The value leaves the file, its variable is named, and the value that the message names can be set."""
    key = "sk-" + "a1B2" * 10
    told = refused(tmp_path, of(service={"environment": {"PLAIN": key}}))
    user = User(tmp_path)
    (tmp_path / "wrong.yaml").write_text(of(service={"environment": {"PLAIN": key}}))
    (tmp_path / "right.yaml").write_text(of(service={"secrets": ["PLAIN"]}))

    wrong, right = user.run("generate", "wrong.yaml"), user.run("generate", "right.yaml")

    assert "remove it; a variable of the tasks goes by its name into service.secrets" in told
    assert (wrong.code, right.code) == (2, 0), right.err
    assert key not in wrong.err
    assert '"PLAIN"' in (tmp_path / "build" / "right" / "service.json").read_text()
    assert not catalogue(application("litellm"), [put_in("PLAIN")])["variables/PLAIN"].refusal
