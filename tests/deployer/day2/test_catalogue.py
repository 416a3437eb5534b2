"""What commands know of a system's secrets and parameters is what its templates make, for every system."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest

from deployer.day2 import secrets
from deployer.day2.service import Place, place_of, places_of
from deployer.states import Output, StackState
from gatestack.catalogue import catalogue, form_of, placeholders, prefix_of, rotated, rotations, unrotated
from gatestack.environment import Environment, SettingsRefused, resolve
from gatestack.injected import keys_taken, parameters_taken
from generator import manifest as manifests
from generator.manifest import Manifest
from stacks.application import PLACEHOLDER, OwnSecret, Written
from stacks.systems import MODULES, application
from tests.places import ROOT

FILES = ("dev", "litellm-benchmark", "llm-proxy-dev", "llm-testing")
ATTACHED = {"engine", "host", "port"}
SYSTEMS = sorted(MODULES)


@cache
def environment(file: str) -> Environment:
    return resolve(str(ROOT / "environments" / f"{file}.yaml"))


@cache
def rendered(file: str) -> Manifest:
    return environment(file).manifest()


def resources(file: str, kind: str) -> list[dict[str, Any]]:
    stacks = rendered(file).stacks
    found = [one for stack in stacks for one in json.loads(stack.template)["Resources"].values()]
    return [one["Properties"] for one in found if one["Type"] == kind]


def keys_of(properties: dict[str, Any]) -> set[str]:
    made = properties.get("GenerateSecretString", {})
    text = properties.get("SecretString", made.get("SecretStringTemplate", "{}"))
    while not isinstance(text, str):
        text = text["Fn::Sub"] if isinstance(text, dict) else text[0]
    return {*json.loads(text), *([made["GenerateStringKey"]] if "GenerateStringKey" in made else [])}


@pytest.mark.parametrize("file", FILES)
def test_the_secrets_that_commands_know_are_those_of_the_templates(file: str) -> None:
    prefix = environment(file).prefix
    made = {
        one["Name"].removeprefix(f"{prefix}/"): keys_of(one)
        for one in resources(file, "AWS::SecretsManager::Secret")
    }

    kinds = catalogue(environment(file).application)
    known = {name: set(kind.keys) for name, kind in kinds.items() if not kind.optional or name in made}
    assert {name: keys | (ATTACHED if name == "database" else set()) for name, keys in made.items()} == known
    assert secrets.PLACEHOLDER == PLACEHOLDER


@pytest.mark.parametrize("file", FILES)
def test_the_parameters_that_commands_know_are_those_of_the_templates(file: str) -> None:
    known = environment(file)
    names = [one["Name"] for one in resources(file, "AWS::SSM::Parameter")]

    assert known.settings
    follow = {*known.application.shown, *known.settings.service.parameters, *known.application.located}
    assert {name.removeprefix(f"/{known.prefix}/") for name in names} == follow


@pytest.mark.parametrize("file", FILES)
def test_a_folder_tells_what_tasks_read_as_its_file_does(file: str, tmp_path: Path) -> None:
    manifests.write(rendered(file), tmp_path)

    folder = resolve(str(tmp_path))

    assert parameters_taken(folder) == parameters_taken(environment(file))
    assert (folder.system, folder.application) == (environment(file).system, environment(file).application)
    assert folder.stack_names == environment(file).stack_names


def test_a_folder_of_a_system_that_is_not_known_is_refused(tmp_path: Path) -> None:
    manifests.write(rendered("llm-testing"), tmp_path)
    index = tmp_path / "manifest.json"
    index.write_text(index.read_text().replace("llm-testing", "llm-other"))

    with pytest.raises(SettingsRefused, match="of the system llm-other, and this gatestack knows litellm"):
        resolve(str(tmp_path))


def test_a_stack_that_would_be_empty_is_not_of_the_environment() -> None:
    assert set(environment("llm-testing").stack_names) == {"security", "network", "alb", "service"}
    assert "database" in environment("llm-proxy-dev").stack_names


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_people_put_in_comes_first_and_seeds_come_last(system: str) -> None:
    kinds = catalogue(application(system)).values()

    places = [(bool(kind.refusal), not kind.keys) for kind in kinds]
    assert places == sorted(places)


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_secret_is_rotated_or_says_why_not(system: str) -> None:
    known = application(system)

    assert catalogue(known).keys() <= rotated(known).keys() | unrotated(known).keys()
    assert not rotated(known).keys() & unrotated(known).keys()
    assert all(unrotated(known).values())


def test_what_rotates_follows_from_the_system() -> None:
    assert rotations(application("litellm")) == {"database": "database-login", "master-key": "master-key"}
    assert rotations(application("llm-proxy")) == {"database": "database-login"}
    assert rotations(application("llm-testing")) == {}


def test_seeds_say_what_to_do_instead() -> None:
    seeds = {system: catalogue(application(system)) for system in SYSTEMS}

    assert seeds["litellm"]["master-key-seed"].refusal == (
        "it only generated the first master key: use `gatestack rotate {env} master-key`"
    )
    assert seeds["llm-testing"]["api-keys-seed"].refusal == (
        "it only generated the first api keys: use `gatestack secret set {env} api-keys`"
    )
    assert seeds["llm-proxy"]["encryption-key-seed"].refusal == ("it only generated the first encryption key")


def test_forms_prefixes_and_placeholders_come_from_the_first_values() -> None:
    own = {one.name: one for system in SYSTEMS[1:] for one in application(system).secrets}

    assert prefix_of(own["master-key"]) == "sk-"
    assert prefix_of(own["encryption-key"]) == prefix_of(own["management-token"]) == ""
    assert json.loads(form_of(own["api-keys"]))["keys"][0]["key"] == "..."
    assert [one.name for one in placeholders(application("llm-proxy"))] == ["dispatcher-api-key"]
    assert placeholders(application("llm-testing")) == ()


def test_the_keys_that_a_file_gives_to_tasks_are_those_of_its_providers() -> None:
    (own,) = placeholders(environment("dev").application)
    (key,) = placeholders(environment("llm-proxy-dev").application)

    assert keys_taken(environment("dev"), own) == ["OPENAI_API_KEY", "ANTHROPIC_API_KEY"]
    assert keys_taken(environment("llm-proxy-dev"), key) == [], "the dispatcher writes a file"


def live(**outputs: str) -> list[StackState]:
    found = tuple(Output(key, value) for key, value in outputs.items())
    return [StackState("dev-service", "arn", "CREATE_COMPLETE", outputs=found)]


def test_the_service_that_gets_the_requests_is_the_first_of_several() -> None:
    names = {"service": "dev-service"}
    outputs = {"ClusterName": "c", "EventDispatcherServiceName": "e", "AServiceName": "a"}

    found = places_of(live(**outputs, ServiceName="s"), names)

    assert found == (Place("c", "s"), Place("c", "a", "a"), Place("c", "e", "event-dispatcher"))
    assert [one.title for one in found] == ["service", "service a", "service event-dispatcher"]
    assert [one.label for one in found] == ["service", "a", "event-dispatcher"]
    assert place_of(live(**outputs, ServiceName="s"), names) == Place("c", "s")
    assert (places_of(live(**outputs), names), place_of([], names)) == ((), None)


@pytest.mark.parametrize("applied_by", ["rollout", "deploy"])
def test_the_command_that_applies_a_value_is_data_of_the_secret(
    applied_by: Literal["rollout", "deploy"],
) -> None:
    own = OwnSecret("any/NAME", "x", Written({"NAME": PLACEHOLDER}), applied_by=applied_by)
    assert catalogue(application("litellm"), (own,))["any/NAME"].applied_by == applied_by
