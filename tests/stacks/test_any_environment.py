"""What holds for any environment file: a wrong one is refused in words, a right one makes sound templates."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from graphlib import TopologicalSorter
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ConfigDict, TypeAdapter

from deployer import graph
from generator.manifest import Manifest
from generator.render import render
from stacks.beside import every as sidecars
from stacks.checking.secret_texts import names_a_secret
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from stacks.systems import application
from tests.covering import only
from tests.linted import check
from tests.stacks.environment_values import SYSTEMS, VALUES, leaves
from tests.stacks.environments import PATH, TOGETHER, File, broken_files, environments, files, written

Template = dict[str, Any]
Resource = dict[str, Any]
Property = Callable[[Settings, Manifest], None]
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def some(strategy: st.SearchStrategy[Any], examples: int) -> Callable[[Any], Any]:
    """Run a test on *examples* drawn from *strategy*, the same at each run."""
    quick = hypothesis_settings(
        max_examples=examples, derandomize=True, database=None, suppress_health_check=SLOW
    )
    return lambda test: quick(given(strategy)(test))


def many(strategy: st.SearchStrategy[Any], examples: int) -> Callable[[Any], Any]:
    """Run a test on *examples* drawn from *strategy*, others at each run."""
    long = hypothesis_settings(
        max_examples=examples, database=None, print_blob=True, suppress_health_check=SLOW
    )
    return lambda test: long(given(strategy)(test))


# --- reading templates ---------------------------------------------------------------------------


@lru_cache(maxsize=16)
def read(template: str) -> Template:
    """Return *template* as data, which nobody changes."""
    document: Template = json.loads(template)
    return document


def templates(manifest: Manifest) -> dict[str, Template]:
    return {stack.name: read(stack.template) for stack in manifest.stacks}


def found(manifest: Manifest, kind: str) -> Iterator[tuple[str, str, Resource]]:
    """Yield stack, logical id and properties of every resource of type *kind*."""
    for stack, template in templates(manifest).items():
        for name, entry in template["Resources"].items():
            if entry["Type"] == kind:
                yield stack, name, entry.get("Properties", {})


def nodes(value: Any) -> Iterator[Any]:
    """Yield *value* and everything in it."""
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from nodes(one)


def texts(value: Any) -> Iterator[str]:
    return (one for one in nodes(value) if isinstance(one, str))


def containers(manifest: Manifest) -> Iterator[tuple[Resource, Resource]]:
    """Yield each container with its task definition."""
    for _, _, task in found(manifest, "AWS::ECS::TaskDefinition"):
        for container in task["ContainerDefinitions"]:
            yield task, container


def needed_by(template: Template, entry: Any) -> set[str]:
    """Return the resources of *template* that *entry* refers to."""
    names = set()
    for node in nodes(entry):
        if not isinstance(node, dict):
            continue
        names |= {node["Ref"]} if isinstance(node.get("Ref"), str) else set()
        got = node.get("Fn::GetAtt")
        names |= {got[0] if isinstance(got, list) else got.partition(".")[0]} if got else set()
        sub = node.get("Fn::Sub")
        text, own = (sub, {}) if isinstance(sub, str) else (sub or ("", {}))
        names |= {one.partition(".")[0] for one in re.findall(r"\$\{([^!}]+)\}", text)} - own.keys()
    depends = entry.get("DependsOn", [])
    names |= {depends} if isinstance(depends, str) else set(depends)
    return names & template["Resources"].keys()


# --- what holds ----------------------------------------------------------------------------------


def lints(settings: Settings, manifest: Manifest) -> None:
    assert [str(finding) for finding in check(manifest)] == []


def is_wired_without_gaps_and_cycles(settings: Settings, manifest: Manifest) -> None:
    made = graph.graph(manifest.stacks, region=())
    assert not any(made.external.values())
    there: set[str] = set()
    for stack in made.stacks:
        assert stack.imports <= there
        there |= stack.exports
    first, second = tuple(made.names), tuple(made.reversed().names)
    assert sorted(first) == sorted(second)
    for stack in manifest.stacks:
        outputs = read(stack.template).get("Outputs", {}).values()
        names = [one["Export"]["Name"] for one in outputs]
        assert len(names) == len(set(names))
        assert all(name.startswith(f"{stack.stack_name}-") for name in names)
    uploads = {upload.bucket_export for stack in manifest.stacks for upload in stack.uploads}
    migrations = [stack.migration for stack in manifest.stacks if stack.migration]
    asked = {
        export
        for one in migrations
        for export in (one.definition_export, *one.subnet_exports, *one.security_group_exports)
    }
    assert uploads | asked <= there
    assert {upload.file for stack in manifest.stacks for upload in stack.uploads} == manifest.files.keys()


def every_value_is_exported_where_it_is_made(settings: Settings, manifest: Manifest) -> None:
    """An output names something, and two outputs only where the system's document has another name for it."""
    aliases = set(application(settings.system).aliases.values())
    for stack, template in templates(manifest).items():
        own = {name: json.dumps(one["Value"]) for name, one in template.get("Outputs", {}).items()}
        plain = [value for name, value in own.items() if name not in aliases]
        assert len(plain) == len(set(plain)), stack
        assert all(value not in {'""', "null"} for value in own.values())


def resources_do_not_wait_for_each_other(settings: Settings, manifest: Manifest) -> None:
    for template in templates(manifest).values():
        needs = {name: needed_by(template, entry) for name, entry in template["Resources"].items()}
        tuple(TopologicalSorter(needs).static_order())  # raises CycleError


def security_groups_form_no_cycle(settings: Settings, manifest: Manifest) -> None:
    rules: dict[str, set[tuple[str, str, int, int]]] = {"Ingress": set(), "Egress": set()}
    ends = {
        "Ingress": ("SourceSecurityGroupId", "GroupId"),
        "Egress": ("GroupId", "DestinationSecurityGroupId"),
    }
    for kind, (source, target) in ends.items():
        for _, _, rule in found(manifest, f"AWS::EC2::SecurityGroup{kind}"):
            way = (rule[source]["Fn::GetAtt"][0], rule[target]["Fn::GetAtt"][0])
            rules[kind].add((*way, rule["FromPort"], rule["ToPort"]))
    assert rules["Ingress"] == rules["Egress"]
    reached: dict[str, set[str]] = {}
    for source, target, *_ in rules["Egress"]:
        assert source != target
        reached.setdefault(source, set()).add(target)
    tuple(TopologicalSorter(reached).static_order())
    for _, name, group in found(manifest, "AWS::EC2::SecurityGroup"):
        assert "SecurityGroupId" not in json.dumps(group)
        for way in ("SecurityGroupIngress", "SecurityGroupEgress"):
            inline = [json.dumps(rule, sort_keys=True) for rule in group.get(way, ())]
            assert len(inline) == len(set(inline)), f"{name} has a rule twice, which EC2 refuses"


def renders_the_same_bytes_again(settings: Settings, manifest: Manifest) -> None:
    assert render(settings.model_copy(deep=True)) == manifest


NAMES = {
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Name"): 32,
    ("AWS::ElasticLoadBalancingV2::TargetGroup", "Name"): 32,
    ("AWS::ElasticLoadBalancingV2::TrustStore", "Name"): 32,
    ("AWS::RDS::DBInstance", "DBInstanceIdentifier"): 63,
    ("AWS::RDS::DBCluster", "DBClusterIdentifier"): 63,
    ("AWS::ElastiCache::ReplicationGroup", "ReplicationGroupId"): 40,
    ("AWS::ECR::Repository", "RepositoryName"): 256,
    ("AWS::ECS::Cluster", "ClusterName"): 255,
    ("AWS::ECS::Service", "ServiceName"): 255,
    ("AWS::ECS::TaskDefinition", "Family"): 255,
    ("AWS::Lambda::Function", "FunctionName"): 64,
    ("AWS::Lambda::Function", "Description"): 256,
    ("AWS::Logs::LogGroup", "LogGroupName"): 512,
    ("AWS::SecretsManager::Secret", "Name"): 512,
    ("AWS::SSM::Parameter", "Name"): 1011,
    ("AWS::SSM::Parameter", "Value"): 4096,
    ("AWS::Events::Rule", "Name"): 64,
    ("AWS::Events::Rule", "Description"): 512,
    ("AWS::CloudWatch::Alarm", "AlarmName"): 255,
    ("AWS::CloudWatch::Alarm", "AlarmDescription"): 1024,
    ("AWS::CloudWatch::Dashboard", "DashboardName"): 255,
    ("AWS::CloudTrail::Trail", "TrailName"): 128,
    ("AWS::KinesisFirehose::DeliveryStream", "DeliveryStreamName"): 64,
    ("AWS::SNS::Topic", "TopicName"): 256,
    ("AWS::WAFv2::IPSet", "Name"): 128,
    ("AWS::WAFv2::WebACL", "Name"): 128,
    ("AWS::KMS::Alias", "AliasName"): 256,
    ("AWS::ApplicationAutoScaling::ScalingPolicy", "PolicyName"): 256,
    ("AWS::EC2::SecurityGroup", "GroupDescription"): 255,
}
"""(resource type, property) -> the longest text that its API takes."""


def names_are_short_enough(settings: Settings, manifest: Manifest) -> None:
    for template in templates(manifest).values():
        for logical_id, entry in template["Resources"].items():
            assert re.fullmatch("[A-Za-z0-9]{1,255}", logical_id)
            for name, value in entry.get("Properties", {}).items():
                longest = NAMES.get((entry["Type"], name), 255 if name.endswith("Description") else None)
                if isinstance(value, str) and longest is not None:
                    assert 1 <= len(value) <= longest, (logical_id, name, value)
                named = isinstance(value, str) and settings.prefix in value
                assert longest is not None or not named, f"add to NAMES: {entry['Type']}, {name}"
    for stack in manifest.stacks:
        assert len(stack.stack_name) <= 128
        outputs = read(stack.template).get("Outputs", {}).values()
        assert all(len(one["Export"]["Name"]) <= 255 for one in outputs)


def templates_are_small_enough(settings: Settings, manifest: Manifest) -> None:
    """CloudFormation User Guide, "Understand CloudFormation quotas"; above 51 200 bytes they go by S3."""
    for stack in manifest.stacks:
        template = read(stack.template)
        assert len(stack.template.encode()) <= 1_000_000
        assert len(template["Resources"]) <= 500
        assert len(template.get("Parameters", {})) <= 200
        assert len(template.get("Outputs", {})) <= 200
        assert len(template["Description"].encode()) <= 1024
    for _, name, role in found(manifest, "AWS::IAM::Role"):
        policies = json.dumps(
            [one["PolicyDocument"] for one in role.get("Policies", ())], separators=(",", ":")
        )
        assert len(policies) <= 10_240, f"{name}: IAM takes 10 240 characters of inline policies"
    for task, _ in containers(manifest):
        assert len(json.dumps(task)) <= 65_536


def no_name_is_made_twice(settings: Settings, manifest: Manifest) -> None:
    seen: set[tuple[str, str, str]] = set()
    for template in templates(manifest).values():
        for entry in template["Resources"].values():
            for name, value in entry.get("Properties", {}).items():
                unique = (entry["Type"], name) in NAMES and not name.endswith(("Description", "Value"))
                if unique and isinstance(value, str):
                    assert (entry["Type"], name, value) not in seen, value
                    seen.add((entry["Type"], name, value))


USERINFO = r"://[^/?#@\s:${}]*:[^/?#@\s${}]+@"
"""RFC 3986, 3.2: an authority ends at the first `/`, `?` or `#`; what follows may have any `@`."""
SECRET_TEXT = re.compile(rf"sk-[A-Za-z0-9]{{8,}}|AKIA[A-Z0-9]{{12,}}|-----BEGIN (?!CERTIFICATE)|{USERINFO}")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("redis://default:hush@cache:6379", True),
        ("https://:hush@example.com/", True),
        ("postgresql://me:hush@db:5432/x?a=b", True),
        ("http://127.0.0.1:4000/@", False),
        ("http://127.0.0.1:4000/a:b@c", False),
        ("http://127.0.0.1:4000?to=@", False),
        ("http://127.0.0.1:4000#@", False),
        ("https://me@example.com:8443", False),
        ("redis://${User}:${Password}@cache:6379", False),
        ("sk-0123456789", True),
        ("AKIA0123456789AB", True),
        ("-----BEGIN KEY-----", True),
    ],
)
def test_a_password_stands_before_the_host_of_a_url_and_nowhere_else(text: str, secret: bool) -> None:  # noqa: FBT001
    assert (SECRET_TEXT.search(text) is not None) == secret


def nothing_looks_like_a_secret(settings: Settings, manifest: Manifest) -> None:
    files = [one.decode() for name, one in manifest.files.items() if not name.endswith(".zip")]
    for text in (*files, *(stack.template for stack in manifest.stacks)):
        assert not SECRET_TEXT.search(text)
    config = application(settings.system).config
    place = {config.key_variable} if config else set()
    for _, container in containers(manifest):
        names = {entry["Name"] for entry in container.get("Environment", ())}
        assert not {name for name in names - place if names_a_secret(name)}
    for _, name, secret in found(manifest, "AWS::SecretsManager::Secret"):
        for text in texts(secret.get("SecretString", "")):
            loaded = json.loads(text) if text.startswith("{") else {}
            for key, value in loaded.items():
                if names_a_secret(key):
                    assert "{{resolve:" in str(value) or value == "REPLACE_ME", (name, key)


def variables_are_told_once(settings: Settings, manifest: Manifest) -> None:
    """ECS: "The secret name must be unique and not shared with any … environment variables"."""
    for _, container in containers(manifest):
        told = [entry["Name"] for kind in ("Environment", "Secrets") for entry in container.get(kind, ())]
        assert sorted(told) == sorted(set(told))
        assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) for name in told)


def what_is_injected_is_there_and_may_be_read(settings: Settings, manifest: Manifest) -> None:
    """
    A secret that no program gets in this environment may be read only if it is one that ECS reads in others.

    The right to it stays, so that a service that is rolled back to what it was finds it.
    """
    sources = injected_sources(manifest)
    made = {properties["Name"] for _, _, properties in found(manifest, "AWS::SSM::Parameter")}
    assert {name for kind, name in sources if kind == "parameter"} <= made
    injected = {name for kind, name in sources if kind == "secret"}
    at_start, fetched = readable(manifest, "ExecutionRole"), readable(manifest, "TaskRole")
    own = {one.name: one.reader for one in application(settings.system).secrets}
    variables = {name for name in injected if name.startswith("variables/")}
    assert (variables != set()) == ("variables/*" in at_start)
    injected -= variables
    at_start -= {"variables/*"}
    assert injected <= at_start
    assert at_start - injected <= {name for name, reader in own.items() if reader == "start"}
    assert fetched == {name for name, reader in own.items() if reader == "tasks"}


def injected_sources(manifest: Manifest) -> set[tuple[str, str]]:
    """Return ("secret", export) and ("parameter", name) of everything that tasks get at their start."""
    sources = set()
    for _, container in containers(manifest):
        for entry in container.get("Secrets", ()):
            source = entry["ValueFrom"]
            if isinstance(source, str):
                continue  # test_secrets_from.py
            if "Fn::Sub" in source:
                sources.add(("parameter", source["Fn::Sub"].partition(":parameter")[2]))
                continue
            arn, key = source["Fn::Join"][1]
            assert re.fullmatch(r":[A-Za-z_][A-Za-z0-9_]*::", key)
            sources.add(("secret", secret_of(manifest, arn)))
    return sources


LOGIN = "database-login"


def secret_of(manifest: Manifest, arn: Any) -> str:
    """Return the name of the secret, after the prefix, whose ARN is exported or referred to."""
    if "Fn::ImportValue" in arn:
        exports = {
            one["Export"]["Name"]: (stack, one["Value"])
            for stack, template in templates(manifest).items()
            for one in template.get("Outputs", {}).values()
        }
        stack, arn = exports[arn["Fn::ImportValue"]]
        return secret_in(manifest, stack, arn)
    stack = next(
        stack for stack, name, _ in found(manifest, "AWS::SecretsManager::Secret") if name == arn["Ref"]
    )
    return secret_in(manifest, stack, arn)


def secret_in(manifest: Manifest, stack: str, reference: Any) -> str:
    secret = templates(manifest)[stack]["Resources"][reference["Ref"]]
    assert secret["Type"] == "AWS::SecretsManager::Secret"
    return str(secret["Properties"]["Name"]).partition("/")[2]


def readable(manifest: Manifest, role: str) -> set[str]:
    """Return the names of the secrets that *role* of the security stack may read."""
    names = set()
    properties = templates(manifest)["security"]["Resources"][role]["Properties"]
    for policy in properties.get("Policies", ()):
        for statement in policy["PolicyDocument"]["Statement"]:
            if "secretsmanager:GetSecretValue" not in statement["Action"]:
                continue
            for on in statement["Resource"]:
                if isinstance(on, str):
                    continue  # somebody else's: test_secrets_from.py
                named = re.search(r":secret:[^/]+/(.+?)(-\?{6})?$", on.get("Fn::Sub", ""))
                names.add(named[1] if named else secret_in(manifest, "security", on))
    return names


def ports_agree(settings: Settings, manifest: Manifest) -> None:
    """Load balancer, security group, container and both health checks mean the same port."""
    port, entrance = settings.service.port, application(settings.system).entrance
    assert {one["Port"] for _, _, one in found(manifest, "AWS::ElasticLoadBalancingV2::TargetGroup")} == {
        port
    }
    balanced = {
        (one["ContainerName"], one["ContainerPort"])
        for _, _, service in found(manifest, "AWS::ECS::Service")
        for one in service.get("LoadBalancers", ())
    }
    assert balanced == {(entrance.container, port)}
    for _, rule_id, rule in found(manifest, "AWS::EC2::SecurityGroupIngress"):
        if rule["GroupId"]["Fn::GetAtt"][0] == "EcsSecurityGroup":
            assert (rule["FromPort"], rule["ToPort"]) == (port, port), rule_id
    ports = {one.name: list(one.ports) for one in sidecars(settings)} | {entrance.container: [port]}
    for _, container in containers(manifest):
        mapped = [one["ContainerPort"] for one in container.get("PortMappings", ())]
        assert mapped == ports.get(container["Name"], [])
        if container["Name"] == entrance.container and "HealthCheck" in container:
            kind, program, *rest = container["HealthCheck"]["Command"]
            assert kind == "CMD"
            assert any(f"127.0.0.1:{port}/" in one for one in rest)
            if program == "python3":
                ast.parse(rest[-1])
    for _, _, function in found(manifest, "AWS::Lambda::Function"):
        told = function["Environment"]["Variables"].get("PROXY_PORT", str(port))
        assert told == str(port)


def listeners_are_reachable(settings: Settings, manifest: Manifest) -> None:
    """The load balancer's group lets clients in where it listens, and nowhere else."""
    listening = {one["Port"] for _, _, one in found(manifest, "AWS::ElasticLoadBalancingV2::Listener")}
    groups = {name: group for _, name, group in found(manifest, "AWS::EC2::SecurityGroup")}
    opened = {rule["FromPort"] for rule in groups["AlbSecurityGroup"]["SecurityGroupIngress"]}
    assert listening == opened


PROPERTIES: tuple[Property, ...] = (
    is_wired_without_gaps_and_cycles,
    every_value_is_exported_where_it_is_made,
    resources_do_not_wait_for_each_other,
    security_groups_form_no_cycle,
    renders_the_same_bytes_again,
    names_are_short_enough,
    no_name_is_made_twice,
    templates_are_small_enough,
    nothing_looks_like_a_secret,
    variables_are_told_once,
    what_is_injected_is_there_and_may_be_read,
    ports_agree,
    listeners_are_reachable,
)


# --- any file, any environment -------------------------------------------------------------------


def test_every_key_of_an_environment_file_is_drawn() -> None:
    keys = dict(leaves())
    missing, unknown = keys.keys() - VALUES.keys(), VALUES.keys() - keys.keys()
    assert not missing, f"add to VALUES in tests/stacks/environment_values.py: {sorted(missing)}"
    assert not unknown, f"no key of the settings: {sorted(unknown)}"
    assert not TOGETHER - VALUES.keys()


def part_that_is_right(runner: Callable[[Any, int], Any], examples: int) -> float:
    right: list[bool] = []

    @runner(files(), examples)
    def look(file: File) -> None:
        right.append(problems_of(file) is None)

    look()
    return sum(right) / len(right)


def test_most_files_that_are_drawn_are_right() -> None:
    assert part_that_is_right(some, 25) > 0.6


@some(st.fixed_dictionaries(dict(VALUES)), 10)
def test_what_is_drawn_for_a_key_is_what_the_key_by_itself_takes(drawn: dict[str, Any]) -> None:
    strict = ConfigDict(strict=True)
    for key, info in leaves():
        field: TypeAdapter[Any] = TypeAdapter(
            Annotated[(info.annotation, *info.metadata, key)], config=strict
        )
        field.validate_python(drawn[key])


def problems_of(file: File) -> EnvironmentFileError | None:
    try:
        parse_settings(written(file), PATH)
    except EnvironmentFileError as error:
        return error
    return None


def is_right_or_refused_in_words(file: File) -> None:
    """Whatever is wrong is told with its key or its line, on a line of its own."""
    error = problems_of(file)
    if error is None:
        return
    assert error.problems
    assert all(problem.message and (problem.key or problem.line) for problem in error.problems)
    assert len(str(error).encode().splitlines()) == len(error.problems)


def keeps_all_promises(settings: Settings) -> None:
    manifest = render(settings)
    for holds in PROPERTIES:
        holds(settings, manifest)


@some(broken_files(), 25)
def test_a_file_gives_settings_or_says_where_it_is_wrong(file: File) -> None:
    is_right_or_refused_in_words(file)


@some(st.one_of(environments(), environments(least=12)), 10)
def test_templates_of_any_environment_fit_together(settings: Settings) -> None:
    keeps_all_promises(settings)


def test_characters_of_every_plane_of_unicode_lint_clean() -> None:
    service = {"environment": {"GREETING": "é \u2028 🚀 \\ud83d"}, "parameters": {"icon": "🚀"}}
    file = {"system": "llm-testing", "environment": "dev", "service": service}
    settings = parse_settings(written(file), PATH)
    lints(settings, render(settings))


@pytest.mark.parametrize("system", only({"litellm"}, SYSTEMS))  # the others: test_cli_setup.py
def test_templates_of_any_environment_lint_clean(system: str) -> None:
    @some(environments(system, least=12), 1)
    def look(settings: Settings) -> None:
        lints(settings, render(settings))

    look()


@pytest.mark.deep
def test_most_of_many_files_are_right() -> None:
    assert part_that_is_right(many, 500) > 0.8


@pytest.mark.deep
@many(broken_files(), 2000)
def test_any_file_gives_settings_or_says_where_it_is_wrong(file: File) -> None:
    is_right_or_refused_in_words(file)


@pytest.mark.deep
@many(environments(), 1500)
def test_templates_of_many_environments_fit_together(settings: Settings) -> None:
    keeps_all_promises(settings)


@pytest.mark.deep
@pytest.mark.parametrize("system", SYSTEMS)
def test_templates_of_many_environments_lint_clean(system: str) -> None:
    @many(environments(system), 80)
    def look(settings: Settings) -> None:
        lints(settings, render(settings))

    look()
