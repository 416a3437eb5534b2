"""Every line of the four documents has its key and its resource: docs/systems against the templates."""

from __future__ import annotations

import re

import pytest

from stacks.bases import environment_files
from tests.places import ENVIRONMENTS
from tests.stacks.systems.document_tables import FOLDER, NAMES, Page, Row, named, page, problems, rows

SIZES = {"litellm": 235, "litellm-benchmark": 215, "llm-proxy": 213, "llm-testing": 142}
"""Rows of each page: a row that is lost, or a table that is not read, is seen."""

INDEX = FOLDER / "README.md"

TABLES = {
    ("litellm", "Stack Dependency Chain"): (
        "security-stack, network-stack, alb-stack, database-stack, litellm-stack, total",
    ),
    ("litellm", "Routing"): ("public: 0.0.0.0/0, private: 0.0.0.0/0, private: S3 prefix list",),
    ("litellm", "Security Groups"): (
        "ALB in: TCP 80, ALB in: TCP 443, ALB out: TCP 4000, ECS in: TCP 4000, ECS out: TCP 443",
        "ECS out: TCP 5432, RDS in: TCP 5432 from ECS, RDS in: TCP 5432 from Lambda",
        "Lambda out: TCP 5432, Lambda out: TCP 443, endpoints in: TCP 443",
    ),
    ("litellm", "VPC Endpoints"): (".s3, .ecr.api, .ecr.dkr, .secretsmanager, .logs",),
    ("litellm", "Secret Rotation"): ("master-key, ui-password, api-keys, database",),
    ("litellm", "Auto-Scaling"): ("CPU tracking, memory tracking, min capacity, max capacity, FARGATE_SPOT",),
    ("litellm", "Request Routing"): ("priority 10, priority 20, priority 30, priority 100",),
    ("litellm", "Health Checks"): ("target group, container",),
    ("litellm", "Optional Features"): ("HTTPS, WAF, Route 53, deletion protection",),
    ("litellm", "CloudWatch Alarms"): ("CPU Utilization, Free Storage, Connection Count",),
    ("litellm", "ECS Alarms"): ("High CPU, High Memory, Unhealthy Hosts, 5xx Errors",),
    ("litellm", "Log Groups"): ("/ecs/, /aws/lambda/",),
    ("litellm", "Pipeline Files"): (
        "pipelines-security, pipelines-network, pipelines-alb, pipelines-database, pipelines-litellm.yml",
        "litellm-config, litellm-update, teardown.yml, teardown-litellm, teardown-database, teardown-alb",
        "teardown-network, teardown-security, validate, aws-cfn-deploy, aws-ecr-build, check-prerequisites",
    ),
    ("litellm", "Cost: Dev Environment"): (
        "NAT gateway, RDS, Fargate, ALB, KMS, Secrets Manager, CloudWatch Logs, VPC endpoints, total",
    ),
    ("litellm", "Cost: Production Additions"): ("RDS, ECS, ACM, WAF, NAT gateway",),
    ("litellm", "Environment Differences"): (
        "Multi-AZ, ECS Capacity, RDS Instance, RDS Deletion Protection, ALB Deletion Protection, WAF",
        "Container Insights, Performance Insights, Log Retention, Secret Rotation",
    ),
    ("llm-proxy", "AWS Services"): (
        "ECS Fargate, Aurora PostgreSQL, ElastiCache Redis, ALB, NAT gateway, Secrets Manager",
        "SSM Parameter Store, ACM, Route 53",
    ),
    ("llm-proxy", "Auto-Scaling Policy"): ("CPU, Requests/Target",),
    ("llm-proxy", "Data Architecture"): ("0.5 ACU, 1 ACU, 2 ACU, 4 ACU",),
    ("llm-proxy", "What's Stored Where"): (
        "MANAGEMENT_TOKEN, DB credentials, ADMIN_PASSWORD, LOG_LEVEL, CACHE_ENABLED, Redis endpoint",
        "GetSecretValue, GetParameter, PutLogEvents",
    ),
    ("llm-proxy", "Network Security Groups"): (
        "ALB in: 443, ALB out: 8080, ECS in: 8080, ECS out: 5432, ECS out: 6379, ECS out: 443",
        "Aurora in: 5432, Aurora out: none, Redis in: 6379, Redis out: none",
    ),
    ("llm-proxy", "Configuration Props"): (
        "existingVpcId, natGateways, domainName, existingCertificateArn, auroraMinCapacity",
        "auroraMaxCapacity, redisNodeType, redisNumNodes, proxyMinTasks, proxyMaxTasks, useArm64",
        "enableXRay, logRetentionDays",
    ),
    ("llm-proxy", "Cost Breakdown"): (
        "Aurora, NAT gateway, Fargate, ALB, ElastiCache Redis, CloudWatch, Secrets Manager, ACM, total",
    ),
    ("llm-proxy", "Scaling Tiers"): ("Dev, Low Traffic, Medium, Production",),
    ("llm-proxy", "Deployment Environments"): ("push to main, tag *-stable",),
    ("llm-proxy", "Configuration"): (
        "DEPLOY_STAGING, AWS_REGION, ECR_REPO_STAGING, ECR_REPO_PRODUCTION, ECS_CLUSTER",
    ),
    ("llm-proxy", "Environment Variables Mapping"): (
        "MANAGEMENT_TOKEN, DATABASE_URL, REDIS_ADDR, REDIS_DB, LOG_LEVEL",
    ),
    ("litellm-benchmark", "Recommended Settings"): (
        "max_connections, shared_buffers, effective_cache_size, maintenance_work_mem, work_mem",
    ),
    ("litellm-benchmark", "Recovery Time Objectives"): (
        "single task, zone, database (Multi-AZ), database (single zone), region",
    ),
    ("litellm-benchmark", "Horizontal Scaling (Task Count)"): (
        "manual, scale out, scale in, min tasks, max tasks, 2 tasks, 4 tasks, 8 tasks",
    ),
    ("litellm-benchmark", "Alternative Configurations"): (
        "dev/test: 2 tasks, dev/test: db.t3.micro, dev/test: single zone, dev/test: ~$150",
        "production: 8 tasks, production: db.r6g.large, production: Redis, production: ~$1",
    ),
    ("litellm-benchmark", "Key Metrics to Monitor"): (
        "request latency, request rate, error rate, LiteLLM overhead, ECS task count, CPU and memory",
        "database connections, target health, Fargate compute hours, data transfer costs",
        "RDS instance hours, NAT gateway data transfer",
    ),
    ("litellm-benchmark", "Recommended Alarms"): (
        "high 5xx rate, high latency, low healthy target count, high database CPU",
        "high database connections, task stopped unexpectedly",
    ),
    ("llm-testing", "Stack Outputs"): (
        "LoadBalancerDNS, ApiEndpoint, RepositoryUri, SecretArn, ClusterName",
    ),
    ("llm-testing", "Context Variables"): ("bedrockModel, desiredCount, vpcId",),
    ("llm-testing", "Environment Variables"): ("CDK_DEFAULT_ACCOUNT, CDK_DEFAULT_REGION, ENVIRONMENT",),
    ("llm-testing", "Cost Estimate"): (
        "Fargate, ALB, NAT gateway, Bedrock, CloudWatch Logs, ECR, total, tip: reduce, tip: smaller",
        "tip: shorter, tip: reserved",
    ),
    ("llm-testing", "Alarms"): (
        "High CPU, High memory, Unhealthy target count, High error rate, High latency",
    ),
    ("llm-testing", "Security Best Practices"): (
        "Never commit secrets, Use IAM roles, Enable VPC Flow Logs, Use AWS WAF, Enable CloudTrail",
        "Rotate API keys, Use HTTPS, Implement rate limiting",
    ),
    ("llm-testing", "Production Checklist"): (
        "Enable HTTPS, Configure custom domain, Set up CloudWatch alarms, Enable AWS WAF rules",
        "Configure backup/disaster recovery, Set up CI/CD, Enable VPC Flow Logs",
        "Configure log aggregation, Set up on-call alerts, Document runbooks",
    ),
}
"""The documents' own tables and lists, row by row: what the first cells must name."""

FIELD = (
    "limits, budgets and revoked keys per process",
    "memory: tasks are killed, or scaled out without end",
    "an old default release",
    "a release with known advisories",
    "a task that answers 401 to every key and counts as healthy",
    "queued data is lost when a task stops",
    "answers cut off by a deployment",
    "a rate limit by address blocks a whole company",
    "managed firewall rules block OAuth's redirect_uri",
    "redirects to http:// and the load balancer's address in logs",
    "header names with an underscore are dropped",
    "keys of further providers",
    "a secret in clear text in the file",
    "models in other regions and accounts",
    "the load balancer's own 5xx trigger no alarm",
    "tables that grow without limit",
    "Redis evicts needed entries; burstable databases",
    "blocking log driver",
    "TLS to the database",
    "Performance Insights ends",
    "documentation and management routes are public",
    "single sign-on",
    "traces and metrics",
    "prompts and audit log in a bucket of your own",
    "old tasks fail on the migrated schema",
)
"""What people report of LLM proxies in production: each is judged for the other three systems."""


@pytest.fixture(scope="module", params=sorted(SIZES))
def one(request: pytest.FixtureRequest) -> Page:
    return page(FOLDER / f"{request.param}.md")


def test_every_row_of_a_page_is_so_in_the_templates(one: Page) -> None:
    assert "\n".join(problems(one)) == ""


def test_no_row_of_a_page_is_lost(one: Page) -> None:
    assert len(one.rows) == SIZES[one.name]


def test_every_row_of_a_documents_own_tables_is_there(one: Page) -> None:
    missing = [
        f"{section}: {what}"
        for (name, section), lines in TABLES.items()
        if name == one.name
        for what in ", ".join(lines).split(", ")
        if not any(what in row.cells[0] for row in one.rows if row.section == section)
    ]

    assert missing == []


@pytest.mark.parametrize("system", ["litellm-benchmark", "llm-proxy", "llm-testing"])
def test_every_report_of_the_field_is_judged_for_every_other_system(system: str) -> None:
    found = page(FOLDER / f"{system}.md").rows

    assert tuple(row.cells[0] for row in found if row.section == "What the field reports") == FIELD


def test_a_row_without_key_and_resource_says_why(one: Page) -> None:
    silent = [str(row) for row in one.rows if row.cells[1:3] == ("-", "-") and len(row.cells[3]) < 7]

    assert silent == []


def test_the_index_has_the_type_of_every_resource_that_a_row_names_and_no_other() -> None:
    types = {row.cells[0].strip("`"): row.cells[1].strip("`") for row in rows(INDEX.read_text(), NAMES)}
    found = {place for name in SIZES for place in named(page(FOLDER / f"{name}.md"))}

    assert types.items() == {(name, kind) for name, kind in found if kind}
    assert {name for name, kind in found if kind is None} - types.keys() == set()


def test_the_index_names_every_environment_file() -> None:
    shipped = {path.stem for path in environment_files(ENVIRONMENTS)}
    table = INDEX.read_text().partition("| environment files |")[2].partition("\n\n")[0]

    assert set(re.findall(r"`([a-z-]+)`", table)) >= shipped


ROW = Row(1, "", ("what is said", "-", "-", ""))


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (("-", "-", ""), "nothing implements it, and no note says why"),
        (("-", "`service/Proxy`", ""), "there is no service/Proxy in dev"),
        (("-", "`service/ProxyTask.Cpu = 1024`", ""), "service/ProxyTask.Cpu is 512, not 1024"),
        (("-", "`service/ProxyTask.Container.Speed = 1`", ""), "there is no Speed"),
        (("-", "`service/ProxyTask.Container.Environment[NOBODY]`", ""), "there is no NOBODY"),
        (("-", "`.Cpu = 512`", ""), "a property of what?"),
        (("-", "no `service/ProxyTask`", ""), "`service/ProxyTask` is there"),
        (("-", "no `service/ProxyTask.Cpu`", ""), "`service/ProxyTask.Cpu` is there"),
        (("-", "no `service/Proxy.Cpu`", ""), "there is no service/Proxy in dev"),
        (
            ("-", "`alb/WebAcl` in `prod` with `alb.waf: false`", ""),
            "no alb/WebAcl in prod with alb.waf: false",
        ),
        (("-", "`alb/WebAcl` in `production`", ""), "there is no environments/production.yaml"),
        (("-", "`alb/WebAcl` with `alb.wav: true`", ""), "the environment file has no key alb.wav"),
        (("-", "`alb/WebAcl` with `alb.waf: maybe`", ""), "refused: "),
        (("-", "`alb.Uri`", ""), "the stack alb has no output Uri"),
        (("-", "refused: `database.multi_az: true`", ""), "database.multi_az: true is not refused in dev"),
        (("-", "`gatestack fly ENV`", ""), "there is no command fly"),
        (("-", "`gatestack deploy ENV --fast`", ""), "there is no option --fast"),
        (("-", "`make money`", ""), "the Makefile has no target money"),
        (("-", "`docs/nowhere.md`", ""), "there is no file docs/nowhere.md"),
        (("-", "`test_nothing.py`", ""), "there is no file test_nothing.py"),
        (("-", "somewhere", ""), "no code span in 'somewhere'"),
        (("-", "perhaps `alb.Url`", ""), "the word 'perhaps' before `alb.Url` is not understood"),
        (("-", "`alb.Url", ""), "a code span is left open"),
        (("`service.cpu = 1024`", "-", ""), "service.cpu is 512 by default (dev), not 1024"),
        (("`alb.waf = false`", "-", ""), "alb.waf is True by default (production), not false"),
        (("`alb.waf = true`, production `true`", "-", ""), "alb.waf is False by default (dev), not true"),
        (("`service.speed = 1`", "-", ""), "the environment file has no key service.speed"),
        (("`service.config.nobody = 1`", "-", ""), "service.config.nobody has no value"),
        (("`service.max_tasks = 3` in `prod`", "-", ""), "service.max_tasks is 4 in prod, not 3"),
        (("many", "-", ""), "no code span in 'many'"),
        (("-", "-"), "3 cells; a row has 4"),
    ],
)
def test_a_row_that_is_not_so_is_told_with_its_text(cells: tuple[str, ...], told: str) -> None:
    (problem,) = problems(Page("litellm", "dev", (Row(7, "", ("what is said", *cells)),)))

    text, _, reason = problem.partition("\n")
    assert text.startswith("7: | what is said |")
    assert told in reason


@pytest.mark.parametrize(
    "cells",
    [
        ("-", "-", "not yet"),
        ("`service.port = 4000`", "-", ""),
        ("`alb.waf = false`, production `true`", "no `alb/WebAcl`; `alb/WebAcl` in `prod`", ""),
        ("`service.max_tasks = 4` in `prod`", "`alb/WebAcl` with `alb.waf: true`", ""),
        ("-", "`service/ProxyTask.Cpu = 512`, `.Memory = 2048`, no `.Speed`", ""),
        ("-", "`service/Service.DesiredCount = 1`, `service/ScalableTarget.MinCapacity = 1`", ""),
        ("-", "`database/Database.EngineVersion = 15.…`, `.DBInstanceIdentifier = {env}-litellm-db`", ""),
        ("-", "`gatestack secret set ENV NAME`, `make test`, `docs/restore.md`, `test_alb.py`", ""),
    ],
)
def test_a_row_that_is_so_passes(cells: tuple[str, ...]) -> None:
    assert problems(Page("litellm", "dev", (Row(7, "", ("what is said", *cells)),))) == []
