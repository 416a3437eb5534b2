"""The environment files that are shipped, and what a file becomes: merging, lines, problems, the schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from stacks import schema
from stacks.checking.advice import advice
from stacks.checking.problems import known_keys
from stacks.environment import IS_A_BASE, EnvironmentFileError, Problem, load, parse_settings
from stacks.settings import EnvironmentFile, Settings
from tests.places import ENVIRONMENTS

FILE = Path("e/dev.yaml")
HEAD = "system: litellm\nenvironment: dev\n"


def problems(text: str) -> list[str]:
    with pytest.raises(EnvironmentFileError) as caught:
        parse_settings(text, FILE)
    assert str(caught.value).count("\n") == len(caught.value.problems) - 1
    return str(caught.value).splitlines()


@pytest.mark.parametrize("name", ["local", "dev", "prod"])
def test_every_shipped_file_loads_and_names_its_schema_for_editors(name: str) -> None:
    path = ENVIRONMENTS / f"{name}.yaml"
    settings = load(path)
    assert (settings.environment, settings.system) == (name, "litellm")
    assert path.read_text().startswith("# yaml-language-server: $schema=../stacks/environment.schema.json\n")
    assert settings.account is None


def test_a_shipped_file_says_nothing_that_its_tier_does_not_mean_except_what_is_the_users_own() -> None:
    own = {"environment": "prod", "system": "litellm", "tier": "production"}
    bare = parse_settings(
        yaml.safe_dump(
            own | {"alb": {"domain_name": "llm.example.com", "hosted_zone_id": "Z0123456789ABCDEFGHIJ"}}
        ),
        FILE,
    )
    shipped = load(ENVIRONMENTS / "prod.yaml")
    alarms = shipped.observability.model_copy(update={"alarm_email": None})
    assert shipped.model_copy(update={"observability": alarms}) == bare


def test_production_has_every_row_of_the_table_of_environment_differences() -> None:
    prod = load(ENVIRONMENTS / "prod.yaml")
    rows = {
        "Multi-AZ": prod.database.multi_az,
        "ECS capacity": "Fargate Spot" if prod.service.spot else "Fargate On-Demand",
        "RDS instance": prod.database.instance_class,
        "RDS deletion protection": prod.database.deletion_protection,
        "ALB deletion protection": prod.alb.deletion_protection,
        "WAF": prod.alb.waf,
        "Container Insights": prod.observability.container_insights,
        "Database Insights": prod.database.performance_insights,
        "Log retention": prod.observability.log_retention_days,
        "Secret rotation": prod.secrets.rotation_days,
        "HTTPS": prod.alb.https,
        "tasks": (prod.service.desired_count, prod.service.min_tasks, prod.service.max_tasks),
        "endpoint zones": prod.network.endpoint_zones,
    }
    assert rows == {
        "Multi-AZ": True,
        "ECS capacity": "Fargate On-Demand",
        "RDS instance": "db.m7g.large",
        "RDS deletion protection": True,
        "ALB deletion protection": True,
        "WAF": True,
        "Container Insights": True,
        "Database Insights": True,
        "Log retention": 90,
        "Secret rotation": 30,
        "HTTPS": True,
        "tasks": (2, 2, 4),
        "endpoint zones": 2,
    }
    assert advice(prod) == (
        "alb.domain_name: llm.example.com is an example; write your own",
        "observability.alarm_email: llm-alarms@example.com is an example; write your own",
        "alb.admin_cidrs: empty, so whoever may connect reaches what administers (production)",
    )


def test_the_production_file_shows_every_row_that_its_tier_changes() -> None:
    shown = yaml.safe_load((ENVIRONMENTS / "prod.yaml").read_text())
    tier = yaml.safe_load((Path(schema.__file__).parent / "systems" / "litellm.yaml").read_text())["tiers"][
        "production"
    ]
    assert {(section, key) for section in tier for key in tier[section]} <= {
        (section, key) for section, keys in shown.items() if isinstance(keys, dict) for key in keys
    }


def test_a_file_of_two_lines_is_the_dev_column_of_the_guide() -> None:
    settings = parse_settings(HEAD, FILE)
    assert settings.tier == "dev"
    assert settings.region == "us-east-1"
    assert settings.network.model_dump() == {
        "vpc_cidr": "10.0.0.0/16",
        "public_subnet_cidrs": ("10.0.1.0/24", "10.0.2.0/24"),
        "private_subnet_cidrs": ("10.0.11.0/24", "10.0.12.0/24"),
        "data_subnet_cidrs": ("10.0.21.0/24", "10.0.22.0/24"),
        "availability_zones": None,
        "nat_gateways": 1,
        "vpc_endpoints": True,
        "endpoint_zones": 1,
        "data_subnets": False,
        "flow_logs": False,
        "existing_vpc": None,
    }
    database = settings.database
    assert (database.instance_class, database.storage_gb, database.max_storage_gb) == ("db.t3.micro", 20, 100)
    assert (database.multi_az, database.deletion_protection, database.backup_retention_days) == (
        False,
        False,
        7,
    )
    assert settings.database_version == "15.15"
    service = settings.service
    assert (service.cpu, service.memory_mb, service.port, service.spot) == (512, 2048, 4000, True)
    assert (service.desired_count, service.min_tasks, service.max_tasks, service.log_level) == (
        1,
        1,
        4,
        "INFO",
    )
    assert (settings.alb.waf, settings.alb.https, settings.alb.waf_rate_limit) == (False, False, 2000)
    assert (settings.alb.idle_timeout_seconds, settings.alb.deregistration_delay_seconds) == (600, 600)
    assert (settings.observability.log_retention_days, settings.secrets.rotation_days) == (14, 30)


def test_mappings_are_merged_lists_replaced_and_empty_keys_leave_the_default() -> None:
    text = (
        HEAD
        + "alb:\nservice:\n  image_tag:\n  providers: [anthropic]\n"
        + "  config: {litellm_settings: {num_retries: 2}}\n"
    )
    service = parse_settings(text, FILE).service
    assert service.providers == ("anthropic",)
    assert service.image_tag == parse_settings(HEAD, FILE).service.image_tag
    assert service.config["litellm_settings"] == {
        "request_timeout": 600,
        "drop_params": True,
        "json_logs": True,
        "num_retries": 2,
    }


def test_aliases_and_merge_keys_work_and_own_keys_win() -> None:
    text = HEAD + "tags: &all {Owner: a, Team: b}\nservice:\n  environment:\n    <<: *all\n    Team: c\n"
    assert parse_settings(text, FILE).service.environment == {"Owner": "a", "Team": "c"}


def test_every_problem_of_a_file_is_told_at_once_each_on_its_line() -> None:
    text = (
        "system: litellm\nenvironment: on\nregoin: us-east-1\n"
        "network:\n  nat_gateway: 1\n  nat_gateways: true\n"
        "alb:\n  waf: 'true'\n  idle_timeout_seconds: 0\n  hosted_zone_id: Z123\n"
        "database:\n  storage_gb: 20\n  storage_gb: 30\nservice:\n  memory_mb: 8192\n"
    )
    assert problems(text) == [
        (
            "e/dev.yaml:2: environment: YAML reads this as the boolean true, not as text; "
            'quote it: environment: "on"'
        ),
        "e/dev.yaml:3: regoin: unknown key; did you mean region?",
        "e/dev.yaml:5: network.nat_gateway: unknown key; did you mean nat_gateways?",
        "e/dev.yaml:6: network.nat_gateways: expected a whole number, found the boolean true",
        "e/dev.yaml:8: alb.waf: expected true or false, found text; write true without quotes",
        "e/dev.yaml:9: alb.idle_timeout_seconds: 0 is out of range; 1 to 4000 seconds",
        "e/dev.yaml:10: alb.hosted_zone_id: says where, not which name; add alb.domain_name",
        "e/dev.yaml:13: database.storage_gb: stands twice, first on line 12; keep one of them",
        "e/dev.yaml:15: service.memory_mb: Fargate has no 8192 MB with 512 CPU units; 1024, 2048, 3072, 4096",
    ]


def test_the_error_carries_the_problems_as_data() -> None:
    with pytest.raises(EnvironmentFileError) as caught:
        parse_settings("system: litellm\nenvironment: dev\nalb: {wafs: true}\n", FILE)
    assert caught.value.problems == (Problem(3, "alb.wafs", "unknown key; did you mean waf?"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + "vpc_cidr: 10.0.0.0/16\n", "3: vpc_cidr: unknown key; did you mean network.vpc_cidr?"),
        (
            HEAD + "queue: {enabled: true}\n",
            "3: queue: unknown key; known here: system, environment, tier, region,",
        ),
        (
            HEAD + "account: 123456789012\n",
            '3: account: YAML reads this as a number, not as text; quote it: account: "123',
        ),
        (HEAD + "account: 0123\n", '3: account: YAML reads 0123 as 83; write 83, or "0123" if it is text'),
        (
            HEAD + "account: '12345'\n",
            "3: account: '12345' is not an account: exactly twelve digits, in quotes",
        ),
        (
            HEAD + "tags: {Since: 2024-01-01}\n",
            '3: tags.Since: YAML reads this as a date; if it is text, quote it: "2024',
        ),
        (HEAD + "tags: {1: x}\n", '3: tags: YAML reads the key "1" as no text; quote it'),
        (HEAD + "tags: {? [a] : x}\n", "3: tags: a key is one word, not a list or a mapping"),
        (
            HEAD + "tags: !!set {a}\n",
            "3: tags: the tag tag:yaml.org,2002:set is not understood; leave it out",
        ),
        (HEAD + "tags: &a {a: *a}\n", "3: tags.a: an alias may not contain itself"),
        (HEAD + 'tags: {a: "\\ud800"}\n', "3: tags.a: text that is not valid Unicode"),
        (
            HEAD + "service: {config: {a: .nan}}\n",
            "3: service.config.a: .nan is not a number that can be used here",
        ),
        (
            HEAD + "service: {cpu: !!int x}\n",
            '3: service.cpu: not the number that it seems to be; if it is text, quote it: "x"',
        ),
        (HEAD + "alb: 5\n", "3: alb: expected keys with values below it, found a number"),
        (HEAD + "alb: {allowed_cidrs: 10.0.0.0/8}\n", "3: alb.allowed_cidrs: expected a list, found text"),
        (
            HEAD + "service: {desired_count: 1.0}\n",
            "3: service.desired_count: expected a whole number, found the decimal number 1.0",
        ),
        (HEAD + "tags: {<<: 5}\n", "3: tags: behind << stands a mapping, or a list of mappings"),
        (HEAD + 'tags: {"\\ud800": a}\n', "3: tags: a key that is not valid Unicode text"),
        (HEAD + "tier: prod\n", "3: tier: 'prod' is unknown; write 'dev' or 'production'"),
        ("system: litelm\nenvironment: dev\n", "1: system: 'litelm' is unknown; write 'litellm'"),
        ("system: litellm\nenvironment:\n", "2: environment: expected text, found nothing"),
        (HEAD + "a: [\n", "4: not YAML: while parsing a flow node expected the node content"),
        (HEAD + "\tb: 1\n", "3: not YAML: while scanning for the next token found character '\\t'"),
        (HEAD + "a: *b\n", "3: not YAML: found undefined alias 'b'"),
        (
            HEAD + "a: arn:aws:x:::y::\n",
            (
                "3: not YAML: mapping values are not allowed here; a text with a colon before a space or at "
                "its end needs quotes"
            ),
        ),
        (HEAD + "a: \x07\n", "3: the character U+0007 is not allowed in YAML; remove it"),
        (
            HEAD + "alb:\n  waf: true\ntags: {}\nalb:\n  internal: true\n",
            "6: alb: stands twice, first on line 3; merge it: move what is below it to what is below line 3",
        ),
        (HEAD + "---\na: 1\n", "3: not YAML: expected a single document in the stream"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_what_to_write(text: str, expected: str) -> None:
    (problem,) = problems(text)
    assert problem.startswith(f"e/dev.yaml:{expected}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("environment: dev\n", ["e/dev.yaml: system: missing"]),
        (
            "system: litellm\n",
            [f"e/dev.yaml: environment: missing{IS_A_BASE}"],
        ),
        ("", ["e/dev.yaml: not an environment file; begin with system: and environment:"]),
        (
            "just text",
            ["e/dev.yaml: not an environment file; begin with system: and environment:"],
        ),
        ("[" * 900, ["e/dev.yaml: not an environment file: nested too deeply"]),
        (
            'a: "\\UFFFFFFFF"',
            ["e/dev.yaml: not YAML: a character escape or a %YAML line with a number out of range"],
        ),
    ],
)
def test_a_problem_without_a_place_is_told_without_a_line(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


def test_aliases_that_multiply_without_end_are_refused_quickly() -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 12))
    assert problems("l0: &l0 [x]\n" + levels) == [
        "e/dev.yaml: more than 20000 values, aliases counted each time; write it shorter"
    ]


def test_a_conclusion_from_a_refused_value_is_not_told() -> None:
    text = (
        HEAD
        + "network: {vpc_cidr: 10.9.0.0, private_subnet_cidrs: [10.9.1.0/24, 10.9.2.0/24]}\n"
        + "service: {cpu: 5}\n"
    )
    assert problems(text) == [
        "e/dev.yaml:3: network.vpc_cidr: '10.9.0.0' is not an IPv4 range like 10.0.0.0/16",
        "e/dev.yaml:4: service.cpu: 5 is not a CPU size of Fargate: 256, 512, 1024, 2048, 4096, 8192, 16384",
    ]


def test_no_value_of_a_variable_or_secret_is_repeated_in_a_message() -> None:
    text = HEAD + (
        "service:\n  environment: {A_TOKEN: hush-one, B: 4711}\n"
        "  config: {model_list: [{model_name: x, litellm_params: {model: openai/x, api_key: hush-two}}]}\n"
    )
    told = "\n".join(problems(text))
    assert not any(secret in told for secret in ("hush-one", "hush-two", "4711"))


def test_a_missing_file_names_those_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "prod.yaml").touch()
    with pytest.raises(EnvironmentFileError) as caught:
        load(tmp_path / "prd.yaml")
    assert str(caught.value) == (
        f"{tmp_path}/prd.yaml: no such file; {tmp_path} has prod.yaml; did you mean prod.yaml?"
    )
    with pytest.raises(EnvironmentFileError, match=r"no such file, and .*/none has no environment files"):
        load(tmp_path / "none" / "dev.yaml")
    with pytest.raises(EnvironmentFileError, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_a_file_that_is_not_utf8_is_refused_with_its_line_and_a_byte_order_mark_is_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "dev.yaml"
    path.write_bytes(HEAD.encode() + b"tags: {Owner: \xe4}\n")
    with pytest.raises(EnvironmentFileError) as caught:
        load(path)
    assert str(caught.value) == f"{path}:3: not UTF-8 text; save the file as UTF-8"
    path.write_bytes(b"\xef\xbb\xbf" + HEAD.encode())
    assert load(path).environment == "dev"


def test_the_schema_beside_the_code_is_the_one_that_the_settings_make() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.text(), "run: python -m stacks.schema"


def test_the_schema_knows_every_key_and_shows_the_defaults() -> None:
    made = json.loads(schema.text())
    needed = {"environment": {"anyOf": [{"required": ["system"]}, {"required": ["extends"]}]}}
    assert ("required" in made, made["dependencies"]) == (False, needed)
    assert tuple(made["properties"]) == known_keys(EnvironmentFile)
    for section in ("network", "alb", "database", "service", "secrets", "observability"):
        reference = made["$defs"][made["properties"][section]["$ref"].rpartition("/")[2]]
        assert tuple(reference["properties"]) == known_keys(Settings, (section,))
        assert reference["additionalProperties"] is False
        assert "required" not in reference
    service = made["$defs"]["Service"]["properties"]
    assert service["cpu"] == {
        "default": 512,
        "description": "CPU units; 1024 are one vCPU.",
        "enum": [256, 512, 1024, 2048, 4096, 8192, 16384],
        "type": "integer",
    }
    assert made["$defs"]["ExistingVpc"]["required"] == ["vpc_id", "private_subnet_ids"]
