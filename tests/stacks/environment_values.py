"""What each key of an environment file by itself may say: a strategy for every key of the settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from stacks.checking import limits
from stacks.checking.entrance.entrance_fields import SSL_POLICIES
from stacks.checking.problems import _model_of
from stacks.settings import Settings

SYSTEMS = ("litellm", "litellm-benchmark", "llm-proxy", "llm-testing")


SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shared/{}-AbCdEf"
KEY = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012"
"""An existing key; of other regions nothing can be used, so the region is added when drawn."""


def leaves(model: type[BaseModel] = Settings, above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield every key with a value, with dots, and its type; a list of sections is one value."""
    for name, info in model.model_fields.items():
        section = _model_of(info.annotation)
        if section and get_origin(info.annotation) is not tuple:
            yield from leaves(section, f"{above}{name}.")
        else:
            yield f"{above}{name}", info


def numbers(low: int, high: int) -> st.SearchStrategy[int]:
    """Whole numbers; the ends and small ones are as likely as all others."""
    return st.sampled_from(sorted({low, min(low + 1, high), high})) | st.integers(low, high)


def amounts(low: int, high: int) -> st.SearchStrategy[Any]:
    """Numbers, whole or not; the ends are as likely as all others."""
    return numbers(low, high) | st.floats(low, high)


def maps(
    keys: st.SearchStrategy[str], values: st.SearchStrategy[Any], most: int = 3
) -> st.SearchStrategy[Any]:
    return st.dictionaries(keys, values, max_size=most)


def ranges(least: int, most: int) -> st.SearchStrategy[str]:
    """IPv4 ranges with a prefix of *least* to *most* bits."""
    made = st.builds(
        lambda address, size: str(IPv4Network((address, size), strict=False)),
        st.integers(0, 2**32 - 1),
        st.integers(least, most),
    )
    usual = ["10.0.0.0/16", "192.168.0.0/20", "172.31.0.0/24", "100.64.0.0/22", "10.1.2.0/25"]
    return st.sampled_from([one for one in usual if least <= IPv4Network(one).prefixlen <= most]) | made


def ids(kind: str, least: int = 0, most: int = 3) -> st.SearchStrategy[list[str]]:
    one = st.text("0123456789abcdef", min_size=17, max_size=17).map(f"{kind}-{{}}".format)
    return st.lists(
        one | one.map(lambda long: long[: len(kind) + 9]), min_size=least, max_size=most, unique=True
    )


PRINTED = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), max_size=12)
"""ASCII without spaces, with special characters of every language and template."""
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12) | st.sampled_from(
    [
        "",
        " x ",
        "true",
        "012",
        "a,b",
        "it's",
        'say "no"',
        "100%",
        "${HOME}",
        "{{x}}",
        "🚀",
        "$(id)",
        "\u2028é",
    ]
)
PATHS = st.sampled_from(["/", "/health", "/health/liveliness", "/ready?full=1"]) | PRINTED.map("/{}".format)
VARIABLES = st.sampled_from(
    ["FOO_BAR", "LOG_FORMAT", "REGION", "_x", "DATABASE_POOL_SIZE", "HTTP_PROXY"]
) | st.text("ABXYz_09", min_size=1, max_size=8)
PARAMETERS = st.sampled_from(
    ["rate-limit-rpm", "redis-db", "foo-bar", "cache-enabled", "global-rate-limit"]
) | st.from_regex(r"[ab][ab1-]{0,4}", fullmatch=True)
MODELS = st.sampled_from(
    [
        "anthropic.claude-3-haiku-20240307-v1:0",
        "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "eu.amazon.nova-lite-v1:0",
        "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "amazon.titan-embed-text-v2:0",
    ]
)
REGIONS = ("us-east-1", "us-east-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1", "cn-north-1")
ARN = "arn:{partition}:acm:{region}:{account}:certificate/12345678-1234-1234-1234-123456789012"
SHARED = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shared/datadog-AbCdEf:api_key::"
SHARED_KEY = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012"
POSTGRES = {
    "log_min_messages": st.sampled_from(["warning", "error"]),
    "max_connections": st.integers(6, 262_143).map(str)
    | st.just("LEAST({DBInstanceClassMemory/9531392},5000)"),
    "shared_buffers": st.sampled_from(["131072", "{DBInstanceClassMemory/32768}"]),
    "work_mem": st.just("5120"),
    "rds.force_ssl": st.sampled_from(["0", "1"]),
    "random_page_cost": st.just("1.1"),
}
REDIS = {
    "maxmemory-policy": st.sampled_from(["allkeys-lru", "noeviction"]),
    "timeout": st.sampled_from(["0", "300"]),
    "notify-keyspace-events": st.just("Ex"),
}
CONFIG = st.fixed_dictionaries(
    {},
    optional={
        "model_list": st.lists(
            st.fixed_dictionaries(
                {
                    "model_name": TEXT,
                    "litellm_params": st.fixed_dictionaries(
                        {
                            "model": st.sampled_from(
                                ["openai/gpt-4o", "anthropic/claude", "azure/x", "bedrock/amazon.y"]
                            )
                        },
                        optional={
                            "api_base": st.just("https://models.example.com"),
                            "rpm": st.integers(1, 9),
                        },
                    ),
                }
            ),
            max_size=2,
        ),
        "general_settings": st.fixed_dictionaries(
            {},
            optional={"database_connection_pool_limit": st.integers(1, 20), "alerting": st.just(["slack"])},
        ),
        "litellm_settings": st.fixed_dictionaries(
            {}, optional={"success_callback": st.lists(TEXT, max_size=2), "cache": st.booleans()}
        ),
        "router_settings": maps(
            st.sampled_from(["num_retries", "routing_strategy"]), st.integers(0, 9) | TEXT
        ),
    },
)
LOGINS = st.sampled_from([None, "https://login.example.com/oauth2/v1/authorize"])
ENDPOINTS = LOGINS.filter(bool) | st.just("https://login.acme.org:443/oauth2/token")
CLAIMS = st.sampled_from([None, "preferred_username", "realm_access.roles", "https://acme.org/groups"])
ROLES = st.sampled_from(["proxy_admin", "proxy_admin_viewer", "internal_user", "internal_user_viewer"])
SIDECARS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["guard", "collector", "init-1", "litellm-proxy"]),
        "image": st.sampled_from(
            [
                "nginx",
                "docker.io/acme/guard:1.4.2",
                "123456789012.dkr.ecr.us-east-1.amazonaws.com/a/b@sha256:" + "0a" * 32,
            ]
        ),
    },
    optional={
        "cpu": st.sampled_from([2, 32, 128, 512]),
        "memory_mb": st.sampled_from([6, 64, 256, 1024]),
        "essential": st.booleans(),
        "environment": maps(VARIABLES, TEXT),
        "secrets": st.lists(st.sampled_from(["LITELLM_MASTER_KEY", "LOG_LEVEL"]), max_size=2),
        "command": st.lists(TEXT, max_size=2),
        "ports": st.lists(st.sampled_from([80, 4000, 4318, 9000]), max_size=2),
        "health_check": st.fixed_dictionaries({"command": st.just(["CMD-SHELL", "true"])}),
        "depends_on": st.lists(
            st.fixed_dictionaries(
                {
                    "container": st.sampled_from(["guard", "collector", "litellm-proxy"]),
                    "condition": st.sampled_from(["START", "HEALTHY", "SUCCESS"]),
                }
            ),
            max_size=2,
        ),
        "user": st.sampled_from(["1000:1000", "app"]),
        "readonly_root": st.booleans(),
        "beside": st.just(["proxy"]),
    },
)
STATEMENTS = st.fixed_dictionaries(
    {
        "sid": st.sampled_from(["Read", "Write1"]),
        "actions": st.lists(
            st.sampled_from(["s3:GetObject", "s3:*", "dynamodb:Query", "*"]), min_size=1, max_size=2
        ),
        "resources": st.sampled_from([["*"], ["arn:aws:s3:::team-prompts/*"]]),
    },
    optional={
        "conditions": st.just({"StringEquals": {"aws:ResourceAccount": "123456789012"}}),
        "effect": st.sampled_from(["Allow", "Deny"]),
        "reason": st.just("it has to be"),
    },
)
PAIRS = st.tuples(ranges(16, 28), ranges(16, 28)).map(list)
CPUS = st.sampled_from(sorted(limits.FARGATE_MEMORY_MB))
MEMORY = st.sampled_from(sorted({size for sizes in limits.FARGATE_MEMORY_MB.values() for size in sizes}))
LATER_VERSIONS = ["15", "16", "17", "15.13", "15.15", "16.9", "16.11", "17.5", "17.7", "18.1"]

GUID = "61c028b9-510c-4f84-bfb2-f48d33b6b542"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/{}"
NAMES = st.sampled_from(["deploy", "my project", "café"])

PATCHES = st.fixed_dictionaries(
    {
        "stack": st.just("security"),
        "resource": st.just("ExecutionRole"),
        "path": st.just("Metadata"),
        "set": st.dictionaries(st.sampled_from(["Team", "Owner"]), st.sampled_from(["llm", 5]), min_size=1),
        "reason": st.just("our baseline"),
    }
)

VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "extend.stacks": st.just([]),  # their templates are files
    "extend.patches": st.lists(PATCHES, max_size=1),
    "system": st.sampled_from(SYSTEMS),
    "environment": st.sampled_from(["dev", "e" * 16, "a1-b2"])
    | st.from_regex(r"[b-r](-?[a-z0-9]){0,7}", fullmatch=True),
    "tier": st.sampled_from(["dev", "production"]),
    "region": st.sampled_from(REGIONS),
    "account": st.sampled_from([None, "123456789012", "012345678901"]),
    "tags": maps(
        st.text("tagxyz:/= é", min_size=1, max_size=9) | st.just("k" * 127),
        st.text("v é1@", min_size=1, max_size=6) | st.just("v" * 255),
        most=5,
    ),
    "network.vpc_cidr": ranges(16, 28),
    "network.public_subnet_cidrs": PAIRS,
    "network.private_subnet_cidrs": PAIRS,
    "network.data_subnet_cidrs": PAIRS,
    "network.availability_zones": st.sampled_from(
        [None, ["us-east-1a", "us-east-1c"], ["use1-az2", "use1-az10"], ["eu-central-1b", "euc1-az1"]]
    ),
    "database.existing.host": st.sampled_from(["db.internal.example.com", "10.0.0.7"]),
    "database.existing.port": st.sampled_from([5432, 6432]),
    "database.existing.name": st.sampled_from(["litellm", "llm_gateway"]),
    "database.existing.secret_arn": st.just(SECRET.format("db")),
    "database.existing.kms_key_arn": st.sampled_from([None, KEY]),
    "database.existing.cidr": st.sampled_from([None, "10.9.0.0/24"]),
    "cache.existing.host": st.sampled_from(["redis.internal.example.com", "10.0.0.8"]),
    "cache.existing.port": st.sampled_from([6379, 6380]),
    "cache.existing.tls": st.booleans(),
    "cache.existing.secret_arn": st.sampled_from([None, SECRET.format("redis")]),
    "cache.existing.secret_key": st.sampled_from(["password", "AUTH_TOKEN"]),
    "cache.existing.kms_key_arn": st.sampled_from([None, KEY]),
    "cache.existing.cidr": st.sampled_from([None, "10.9.0.0/24"]),
    "network.nat_gateways": st.sampled_from([0, 1, 2]),
    "network.vpc_endpoints": st.booleans(),
    "network.endpoint_zones": st.sampled_from([1, 2]),
    "network.data_subnets": st.booleans(),
    "network.flow_logs": st.booleans(),
    "network.existing_vpc.vpc_id": ids("vpc", 1, 1).map(lambda ids: ids[0]),
    "network.existing_vpc.public_subnet_ids": ids("subnet"),
    "network.existing_vpc.private_subnet_ids": ids("subnet"),
    "network.existing_vpc.data_subnet_ids": ids("subnet"),
    "alb.certificate_arn": st.sampled_from(
        [None, ARN.format(partition="aws", region="us-east-1", account="123456789012")]
    ),
    "alb.domain_name": st.sampled_from([None, "llm.example.com", "a.b-c.example.org"]),
    "alb.hosted_zone_id": st.sampled_from([None, "Z0123456789ABCDEFGHIJ"]),
    "alb.waf": st.booleans(),
    "alb.waf_rate_limit": numbers(10, 2_000_000_000),
    "alb.waf_rate_key": st.sampled_from(["ip", "authorization", "forwarded_ip"]),
    "alb.waf_exempt_cidrs": st.lists(ranges(1, 32), max_size=3, unique=True),
    "alb.waf_logs": st.booleans(),
    "alb.admin_cidrs": st.lists(ranges(1, 32), max_size=3, unique=True),
    "alb.oidc.issuer": st.sampled_from(["https://login.acme.org", "https://login.acme.org/realms/acme/"]),
    "alb.oidc.authorization_endpoint": ENDPOINTS,
    "alb.oidc.token_endpoint": ENDPOINTS,
    "alb.oidc.userinfo_endpoint": ENDPOINTS,
    "alb.oidc.client_id": st.sampled_from(["gateway", "0oa1b2c3d4e5f6g7h8i9"]),
    "alb.oidc.scopes": st.lists(st.sampled_from(["openid", "email", "groups"]), min_size=1, max_size=3),
    "alb.oidc.session_hours": numbers(1, 168),
    "alb.mutual_authentication.mode": st.sampled_from(["verify", "passthrough"]),
    "alb.mutual_authentication.ca_certificates_bundle": st.sampled_from(
        ["s3://acme-authorities/clients.pem", "s3://a.b-c/below/a/folder/of+ours.pem"]
    ),
    "alb.mutual_authentication.ca_certificates_bundle_version": st.sampled_from([None, "3HL4kqtJlcpXroDTDm"]),
    "alb.mutual_authentication.ignore_client_certificate_expiry": st.booleans(),
    "alb.mutual_authentication.advertise_trust_store_ca_names": st.booleans(),
    "alb.drop_invalid_headers": st.booleans(),
    "alb.ssl_policy": st.sampled_from(SSL_POLICIES),
    "alb.deletion_protection": st.booleans(),
    "alb.idle_timeout_seconds": numbers(1, 4000),
    "alb.deregistration_delay_seconds": numbers(0, 3600),
    "alb.health_check.path": PATHS,
    "alb.health_check.interval_seconds": numbers(5, 300),
    "alb.health_check.timeout_seconds": numbers(2, 120),
    "alb.health_check.healthy_count": numbers(2, 10),
    "alb.health_check.unhealthy_count": numbers(2, 10),
    "alb.internal": st.booleans(),
    "alb.allowed_cidrs": st.lists(ranges(0, 32), min_size=1, max_size=4, unique=True),
    "alb.access_logs": st.booleans(),
    "alb.test_port": numbers(1, 65535) | st.sampled_from([80, 443, 8443]),
    "alb.test_cidrs": st.lists(ranges(0, 32), max_size=3, unique=True),
    "database.engine": st.sampled_from(["none", "postgres", "aurora-postgresql"]),
    "database.engine_version": st.sampled_from(LATER_VERSIONS),
    "database.instance_class": st.sampled_from(
        ["db.t3.micro", "db.t4g.medium", "db.m6g.large", "db.r6g.xlarge", "db.m7g.2xlarge", "db.r5.large"]
    ),
    "database.storage_gb": numbers(20, 65536),
    "database.max_storage_gb": numbers(20, 65536),
    "database.multi_az": st.booleans(),
    "database.min_acu": numbers(0, 512).map(lambda halves: halves / 2) | st.integers(0, 256),
    "database.max_acu": numbers(2, 512).map(lambda halves: halves / 2) | st.integers(1, 256),
    "database.reader_instances": numbers(0, 15),
    "database.backup_retention_days": numbers(0, 35),
    "database.deletion_protection": st.booleans(),
    "database.performance_insights": st.booleans(),
    "database.insights": st.sampled_from(["standard", "advanced"]),
    "database.parameters": st.fixed_dictionaries({}, optional=POSTGRES),
    "database.iam_authentication": st.booleans(),
    "database.snapshot_identifier": st.sampled_from(
        [None, "before", "rds:prod-db-2026-11-01-03-00", "arn:aws:rds:us-east-1:123456789012:snapshot:shared"]
    ),
    "database.snapshot_before_migration": st.booleans(),
    "database.verify_certificate": st.booleans(),
    "database.connection_alarm": numbers(1, 262_143),
    "cache.enabled": st.booleans(),
    "cache.node_type": st.sampled_from(
        ["cache.t4g.micro", "cache.t3.small", "cache.m6g.large", "cache.r7g.xlarge"]
    ),
    "cache.nodes": numbers(1, 6),
    "cache.transit_encryption": st.sampled_from(["required", "preferred"]),
    "cache.parameters": st.fixed_dictionaries({}, optional=REDIS),
    "cache.snapshot_retention_days": numbers(0, 35),
    "service.image": st.sampled_from(
        ["ecr", "ghcr.io/berriai/litellm-database", "registry.example.com:5000/a/b_c"]
    ),
    "service.image_tag": st.sampled_from(["v1.108.7", "latest", "sha256:" + "0a" * 32, "_" * 128]),
    "service.accepted_advisories": st.lists(
        st.fixed_dictionaries(
            {
                "id": st.sampled_from(["CVE-2026-42208", "GHSA-4xpc-pv4p-pm3w", "PYSEC-2026-388"]),
                "reason": st.just("nobody outside reaches it"),
                "until": st.sampled_from(["2020-01-31", "2999-12-31"]),
            }
        ),
        max_size=2,
    ),
    "service.port": numbers(1, 65535),
    "service.cpu": CPUS,
    "service.memory_mb": MEMORY,
    "service.architecture": st.sampled_from(["x86_64", "arm64"]),
    "service.desired_count": numbers(0, 5000),
    "service.min_tasks": numbers(0, 5000),
    "service.max_tasks": numbers(1, 5000),
    "service.cpu_target_percent": numbers(1, 100),
    "service.memory_target_percent": numbers(0, 100),
    "service.requests_per_target": numbers(0, 1_000_000),
    "service.scale_out_cooldown_seconds": numbers(0, 3600),
    "service.scale_in_cooldown_seconds": numbers(0, 3600),
    "service.deployment_strategy": st.sampled_from(["rolling", "blue_green", "canary", "linear"]),
    "service.shift_percent": numbers(1, 99),
    "service.shift_minutes": numbers(0, 1440),
    "service.bake_minutes": numbers(0, 1440),
    "service.deployment_alarms": st.booleans(),
    "service.workers": numbers(1, 64),
    "service.spot": st.booleans(),
    "service.log_mode": st.sampled_from(["non-blocking", "blocking"]),
    "service.log_buffer_mb": numbers(1, limits.MOST_LOG_BUFFER_MB),
    "service.log_level": st.sampled_from(["DEBUG", "INFO", "WARNING", "ERROR"]),
    "service.health_check.path": PATHS,
    "service.health_check.interval_seconds": numbers(5, 300),
    "service.health_check.timeout_seconds": numbers(2, 60),
    "service.health_check.retries": numbers(1, 10),
    "service.health_check.start_seconds": numbers(0, 300),
    "service.grace_seconds": numbers(0, 7200),
    "service.stop_timeout_seconds": numbers(1, 120),
    "service.environment": maps(VARIABLES, TEXT),
    "service.environment_from": st.just({}),
    "service.parameters": maps(PARAMETERS, TEXT.filter(lambda text: text and "{{" not in text)),
    "service.secrets": st.lists(
        st.sampled_from(["AZURE_API_KEY", "GEMINI_API_KEY", "LANGFUSE_SECRET_KEY", "lower_key", "X1"]),
        max_size=3,
        unique=True,
    ),
    "service.secrets_from": maps(
        st.sampled_from(["DATADOG_API_KEY", "GEMINI_API_KEY", "OTEL_TOKEN"]),
        st.sampled_from(
            [SHARED, SHARED.rpartition(":api_key")[0], {"arn": SHARED, "kms_key_arn": SHARED_KEY}]
        ),
    ),
    "service.execute_command": st.booleans(),
    "service.keep_images": st.booleans(),
    "service.providers": st.lists(
        st.sampled_from(["openai", "anthropic", "bedrock"]), max_size=3, unique=True
    ),
    "service.bedrock_models": st.lists(MODELS, max_size=3),
    "service.config": CONFIG,
    "service.sidecars": st.lists(SIDECARS, max_size=2),
    "service.task_policy": st.lists(STATEMENTS, max_size=2),
    "service.managed_policies": st.lists(
        st.sampled_from(
            [
                "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
                "arn:aws:iam::123456789012:policy/team/prompts",
            ]
        ),
        max_size=2,
    ),
    "service.security_group_ids": ids("sg"),
    "dispatcher.enabled": st.booleans(),
    "dispatcher.backend": st.sampled_from(["file", "lunary", "helicone"]),
    "dispatcher.endpoint": st.none()
    | st.just("/var/events.jsonl")
    | PRINTED.map("https://e.example.com/{}".format),
    "dispatcher.cpu": CPUS,
    "dispatcher.memory_mb": MEMORY,
    "dispatcher.tasks": numbers(1, 10),
    "sso.provider": st.sampled_from([None, "microsoft", "google", "okta", "generic"]),
    "sso.client_id": st.sampled_from([None, "0oa1b2c3d4e5f6g7h8i9", "1234-abc.apps.example.com"]),
    "sso.tenant": st.sampled_from([None, GUID, "acme.onmicrosoft.com"]),
    "sso.authorization_endpoint": LOGINS,
    "sso.token_endpoint": LOGINS,
    "sso.userinfo_endpoint": LOGINS,
    "sso.scopes": st.lists(st.sampled_from(["openid", "email", "groups"]), max_size=3),
    "sso.pkce": st.sampled_from([None, True, False]),
    "sso.allowed_email_domains": st.lists(st.sampled_from(["acme.org", "a.io"]), max_size=2),
    "sso.admin_id": st.sampled_from([None, "00u1", "ann@acme.org"]),
    "sso.logout_url": LOGINS,
    "sso.user_id_attribute": CLAIMS,
    "sso.role_attribute": CLAIMS,
    "sso.group_claim": CLAIMS,
    "sso.roles": maps(ROLES, st.lists(NAMES, min_size=1, max_size=2)),
    "sso.default_role": st.none() | ROLES,
    "secrets.rotation_days": numbers(1, 1000),
    "observability.log_retention_days": st.sampled_from(limits.LOG_RETENTION_DAYS),
    "observability.log_archive_days": numbers(0, 36_500),
    "observability.cloudtrail": st.booleans(),
    "observability.cloudtrail_days": numbers(1, 36_500),
    "observability.container_insights": st.booleans(),
    "observability.xray": st.booleans(),
    "observability.collector": st.sampled_from(["none", "otel"]),
    "observability.collector_image": st.sampled_from(
        [None, "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme/otel:1"]
    ),
    "observability.prompt_logs.keep_days": numbers(0, 36_500),
    "observability.prompt_logs.redact": st.booleans(),
    "observability.prompt_logs.audit": st.booleans(),
    "observability.alarm_email": st.sampled_from([None, "on-call+llm@example.com", "o'neil_{x}@a.io"]),
    "observability.alarms.cpu_percent": numbers(1, 99),
    "observability.alarms.client_error_percent": numbers(0, 99),
    "observability.alarms.client_error_requests": numbers(1, 1_000_000),
    "observability.alarms.cache_evictions": numbers(0, 1_000_000),
    "observability.alarms.memory_percent": numbers(1, 99),
    "observability.alarms.server_errors": numbers(0, 1_000_000),
    "observability.alarms.server_error_percent": numbers(0, 99),
    "observability.alarms.latency_milliseconds": numbers(0, 4_000_000),
    "observability.alarms.latency_percentile": numbers(50, 99),
    "observability.alarms.healthy_tasks": numbers(0, 5000),
    "observability.alarms.stopped_tasks": st.booleans(),
    "observability.alarms.database_cpu_percent": numbers(1, 99),
    "observability.dashboard": st.booleans(),
    "observability.rollback_alarms": st.lists(
        st.sampled_from(["errors", "a b/c", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:x"]), max_size=5
    ),
    "observability.rollback_monitoring_minutes": numbers(0, 180),
    "deployment.notify": st.lists(
        st.fixed_dictionaries(
            {
                "where": st.sampled_from(["slack", "teams", "webhook"]),
                "secret": st.just("webhook"),
                "events": st.lists(st.sampled_from(["begin", "approval", "failure", "drift", "success"])),
            }
        ),
        max_size=2,
    ),
    "deployment.mode": st.sampled_from(["standard", "express"]),
    "deployment.policy": st.just(None),  # its rules are files
    "deployment.timeout_minutes.security": numbers(1, 1440),
    "deployment.timeout_minutes.network": numbers(1, 1440),
    "deployment.timeout_minutes.alb": numbers(1, 1440),
    "deployment.timeout_minutes.database": numbers(1, 1440),
    "deployment.timeout_minutes.service": numbers(1, 1440),
    "pipelines.azure_devops.organization": st.sampled_from(["a", "my-org"]),
    "pipelines.azure_devops.organization_id": st.just(GUID),
    "pipelines.azure_devops.project": NAMES,
    "pipelines.azure_devops.service_connection": st.none() | NAMES,
    "pipelines.azure_devops.plan_service_connection": st.none() | NAMES,
    "pipelines.azure_devops.plan_pipelines": st.lists(NAMES, max_size=2),
    "pipelines.azure_devops.provider_arn": st.sampled_from(
        [None, PROVIDER.format(f"vstoken.dev.azure.com/{GUID}")]
    ),
    "pipelines.github.repository": st.sampled_from(["acme/gateway", "a-1/.x_y"]),
    "pipelines.github.other_forms": st.lists(st.just("acme@1/gateway@2"), max_size=1),
    "pipelines.github.environments": st.lists(st.sampled_from(["prod", "a/b.c"]), max_size=2, unique=True),
    "pipelines.github.pull_requests": st.booleans(),
    "pipelines.github.plan_branches": st.lists(
        st.sampled_from(["main", "release/1.x"]), max_size=2, unique=True
    ),
    "pipelines.github.provider_arn": st.sampled_from(
        [None, PROVIDER.format("token.actions.githubusercontent.com")]
    ),
    "pipelines.deploys": st.lists(st.sampled_from(["dev-litellm", "*-llm-proxy"]), max_size=2, unique=True),
    "pipelines.permissions_boundary": st.sampled_from(
        [None, "gatestack", "arn:aws:iam::aws:policy/PowerUserAccess"]
    ),
    "pipelines.session_hours": numbers(1, 12),
    "usage.hours_per_month": amounts(1, 744),
    "usage.spot_discount_percent": amounts(0, 100),
    "usage.lcu_average": amounts(0, 100_000),
    "usage.requests_million": amounts(0, 1_000_000),
    "usage.internet_gb": amounts(0, 10_000_000),
    "usage.nat_gb": amounts(0, 10_000_000),
    "usage.endpoint_gb": amounts(0, 10_000_000),
    "usage.log_gb": amounts(0, 10_000_000),
    "usage.flow_log_gb": amounts(0, 10_000_000),
    "usage.acu_average": st.none() | amounts(0, 100_000),
    "usage.aurora_gb": amounts(0, 10_000_000),
    "usage.aurora_io_million": amounts(0, 1_000_000),
    "usage.backup_gb": amounts(0, 10_000_000),
    "usage.s3_gb": amounts(0, 10_000_000),
    "usage.ecr_gb": amounts(0, 10_000_000),
    "usage.function_seconds": amounts(0, 10_000_000),
    "usage.input_tokens_million": amounts(0, 1_000_000),
    "usage.output_tokens_million": amounts(0, 1_000_000),
}
"""Key -> values that its own check accepts; from AWS's lists, like instance classes, real ones."""
