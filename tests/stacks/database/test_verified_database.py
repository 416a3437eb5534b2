"""Who connects to the database checks that it is the database, by the certificate of RDS's authority."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks import authorities, database, service
from stacks.checking.advice import advice
from stacks.environment import parse_settings
from stacks.settings import Settings
from tests.stacks.finders import properties, resources

PATH = {"PATH": "/usr/bin:/bin"}
PRODUCTION = {"system": "litellm", "environment": "prod", "tier": "production", "alb": {"internal": True}}
HERE = authorities.by_region()["us-east-1"]
ELSEWHERE = {
    "host": "db.internal.example.com",
    "name": "litellm",
    "secret_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf",
}


def load(**sections: Any) -> Settings:
    return parse_settings(yaml.safe_dump(PRODUCTION | sections), Path("prod.yaml"))


def containers(settings: Settings) -> list[dict[str, Any]]:
    """Return what connects to the database: LiteLLM's migration, and LiteLLM."""
    found = []
    if settings.database.used:
        found.append(properties(database.build(settings), "MigrationTask")["ContainerDefinitions"][0])
    return [*found, properties(service.build(settings), "ProxyTask")["ContainerDefinitions"][0]]


def variables(container: dict[str, Any]) -> dict[str, Any]:
    return {one["Name"]: one["Value"] for one in container["Environment"]}


def rotation(settings: Settings) -> dict[str, Any]:
    found = properties(database.build(settings), "DatabaseRotationFunction")
    return dict(found["Environment"]["Variables"])


def warned(settings: Settings) -> list[str]:
    return [one for one in advice(settings) if one.startswith("database.verify_certificate:")]


@pytest.mark.parametrize("engine", ["postgres", "aurora-postgresql"])
def test_every_instance_has_a_certificate_of_the_one_authority_that_clients_know(engine: str) -> None:
    instances = resources(database.build(load(database={"engine": engine})), "AWS::RDS::DBInstance")

    found = {one["Properties"]["CACertificateIdentifier"] for one in instances.values()}
    assert found == {"rds-ca-rsa2048-g1"}


def test_production_verifies_it_in_each_process_that_connects() -> None:
    of = load()

    assert rotation(of)["DATABASE_CERTIFICATE"] == HERE
    assert [variables(one)["DATABASE_CERTIFICATE"] for one in containers(of)] == [HERE, HERE]
    assert warned(of) == []


def test_a_container_writes_the_certificate_where_litellm_reads_it_and_becomes_its_program(
    tmp_path: Path,
) -> None:
    file = tmp_path / "authority.pem"
    for container, program in zip(
        containers(load()),
        (["python", "litellm/proxy/prisma_migration.py"], ["docker/prod_entrypoint.sh"]),
        strict=True,
    ):
        start, own = container["EntryPoint"][: -len(program)], container["EntryPoint"][-len(program) :]
        said = {"DATABASE_CERTIFICATE": HERE, "DATABASE_SSLROOTCERT": str(file)}
        done = subprocess.run(
            [*start, "echo", "--port", "4000 5"], env=said, capture_output=True, text=True, check=True
        )

        assert (own, done.stdout) == (program, "--port 4000 5\n")
        assert file.read_text().strip() == HERE
        assert variables(container)["DATABASE_SSLROOTCERT"].startswith("/tmp/")  # noqa: S108 - the container's
        file.unlink()


def test_a_container_that_cannot_write_it_does_not_start(tmp_path: Path) -> None:
    """Prisma would say so too, and later."""
    start = containers(load())[1]["EntryPoint"][:-1]
    said = {"DATABASE_CERTIFICATE": HERE, "DATABASE_SSLROOTCERT": str(tmp_path / "none" / "authority.pem")}

    done = subprocess.run([*start, "echo", "started"], env=said, capture_output=True, text=True, check=False)

    assert done.returncode
    assert done.stdout == ""


@pytest.mark.parametrize(
    "sections",
    [
        {"tier": "dev"},
        {"database": {"verify_certificate": False}},
        {"database": {"existing": ELSEWHERE}},
    ],
    ids=["dev", "switched off", "a database of somebody else's"],
)
def test_without_it_everything_starts_as_its_image_says(sections: dict[str, Any]) -> None:
    of = load(**sections)

    assert all("DATABASE_CERTIFICATE" not in variables(one) for one in containers(of))
    assert "EntryPoint" not in containers(of)[-1]
    assert warned(of) == []


def test_a_release_that_verifies_nothing_is_told_of_and_starts_as_before() -> None:
    of = load(service={"image_tag": "v1.101.3", "accepted_advisories": []})

    assert all("DATABASE_CERTIFICATE" not in variables(one) for one in containers(of))
    assert rotation(of)["DATABASE_CERTIFICATE"] == HERE
    (said,) = warned(of)
    assert "verifies from v1.102.0 on, so tasks of v1.101.3 do not" in said


def test_an_image_of_ones_own_is_taken_for_a_release_that_verifies() -> None:
    of = load(service={"image": "registry.example.com/team/litellm", "image_tag": "build-7"})

    assert variables(containers(of)[-1])["DATABASE_CERTIFICATE"] == HERE


def test_a_region_whose_authority_is_not_known_is_told_of() -> None:
    of = load(region="mx-central-1")

    assert "DATABASE_CERTIFICATE" not in rotation(of)
    (said,) = warned(of)
    assert "no certificate authority of RDS in mx-central-1" in said


@pytest.mark.parametrize(
    ("options", "then"),
    [
        ("?sslmode=require", "?sslmode=verify-full"),
        ("?sslmode=require&connect_timeout=5", "?sslmode=verify-full&connect_timeout=5"),
    ],
)
def test_llm_proxy_verifies_chain_and_name_whatever_its_url_says(
    tmp_path: Path, options: str, then: str
) -> None:
    of = load(system="llm-proxy")
    proxy = properties(service.build(of), "ProxyTask")["ContainerDefinitions"][0]
    file, url = tmp_path / "authority.pem", "postgresql://proxy:a%3Fsslmode%3Drequire@db:5432/llmproxy"
    told = {"DATABASE_CERTIFICATE": HERE, "PGSSLROOTCERT": str(file), "DATABASE_URL": f"{url}{options}"}

    *start, own = proxy["EntryPoint"]
    program = [*start, "/bin/sh", "-c", 'echo "$DATABASE_URL" "$@"', "sh", *proxy["Command"]]
    done = subprocess.run(program, env=told | PATH, capture_output=True, text=True, check=True)

    assert own == "/app/entrypoint.sh"
    assert done.stdout == f"{url}{then} server\n"
    assert file.read_text().strip() == HERE
    assert rotation(of)["DATABASE_CERTIFICATE"] == variables(proxy)["DATABASE_CERTIFICATE"] == HERE
    assert variables(proxy)["PGSSLROOTCERT"].startswith("/tmp/")  # noqa: S108 - the container's
    dispatcher = properties(service.build(of), "DispatcherTask")["ContainerDefinitions"][0]
    assert ("EntryPoint" in dispatcher, "PGSSLROOTCERT" in variables(dispatcher)) == (False, False)


def test_llm_proxy_starts_as_its_image_says_where_it_is_switched_off() -> None:
    of = load(system="llm-proxy", database={"verify_certificate": False})

    proxy = properties(service.build(of), "ProxyTask")["ContainerDefinitions"][0]
    assert "EntryPoint" not in proxy
    assert "PGSSLROOTCERT" not in variables(proxy)
