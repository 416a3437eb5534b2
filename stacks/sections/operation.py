"""`secrets`, `observability` and `deployment`: keys about the operation of an environment."""

from typing import Annotated, Literal

from pydantic import Field

from stacks.checking import fields, limits
from stacks.checking.fields import between, shape
from stacks.checking.tasks import container_fields
from stacks.sections import Section
from stacks.sections.notify import Notify
from stacks.sections.prompt_logs import PromptLogs


class Dispatcher(Section):
    """A second service that reads events from Redis and sends them to a backend."""

    enabled: bool
    backend: Literal["file", "lunary", "helicone"]
    """Where events go. `file` writes them to the task's disk; they are lost with the task."""
    endpoint: fields.Endpoint | None
    """URL of the backend's API, or the path of the file; left out: the backend's default."""
    cpu: fields.FargateCpu
    memory_mb: int
    tasks: Annotated[int, between(1, 10, "tasks")]


class Secrets(Section):
    """Secrets Manager."""

    rotation_days: Annotated[int, between(1, 1000, "days")]
    """Days between two rotations of the database's login and of the master key."""


class Alarms(Section):
    """When the alarm topic is told; 0 leaves an alarm out."""

    cpu_percent: Annotated[int, between(1, 99, "percent")]
    """Tasks' CPU, over fifteen minutes."""
    memory_percent: Annotated[int, between(1, 99, "percent")]
    """Tasks' memory, over fifteen minutes."""
    server_errors: Annotated[int, between(0, 1_000_000, "answers")]
    """5xx responses in five minutes, of the tasks or of the load balancer itself."""
    server_error_percent: Annotated[int, between(0, 99, "percent")]
    """Share of 5xx responses, of the tasks or of the load balancer itself."""
    client_error_percent: Annotated[int, between(0, 99, "percent")]
    """Share of the requests that the tasks refuse with 4xx, over fifteen minutes."""
    client_error_requests: Annotated[int, between(1, 1_000_000, "requests")]
    """Requests in five minutes below which client_error_percent is not checked."""
    latency_milliseconds: Annotated[int, between(0, 4_000_000, "milliseconds")]
    """Time to the first byte of the response; includes the model's time."""
    latency_percentile: Annotated[int, between(50, 99)]
    """95: five in a hundred responses may take longer than latency_milliseconds."""
    healthy_tasks: Annotated[int, between(0, 5000, "tasks")]
    """The alarm fires when fewer tasks are healthy at the load balancer."""
    stopped_tasks: bool
    """A message for each task that stopped unexpectedly, not by a deployment, scaling or a person."""
    database_cpu_percent: Annotated[int, between(1, 99, "percent")]
    cache_evictions: Annotated[int, between(0, 1_000_000, "entries")]
    """Entries that a full Redis drops in five minutes."""


class Observability(Section):
    """Logs, metrics and alarms."""

    log_retention_days: fields.LogRetention
    log_archive_days: Annotated[int, between(0, limits.MOST_ARCHIVE_DAYS, "days")]
    """How long S3 keeps all logs; longer than log_retention_days. 0: no archive."""
    cloudtrail: bool
    """A CloudTrail trail of the account's activity in all regions. For an account's first trail only the
    storage is charged; further trails are charged per event."""
    cloudtrail_days: Annotated[int, between(1, limits.MOST_ARCHIVE_DAYS, "days")]
    """How long the trail's files are kept."""
    container_insights: bool
    xray: bool
    collector: Literal["none", "otel"]
    """otel: an OpenTelemetry collector in each task that gets requests. It sends traces to X-Ray and metrics
    to CloudWatch. LiteLLM sends both, without prompts and answers."""
    collector_image: container_fields.Image | None
    """Image of the collector; left out: a pinned release of AWS's. A network without internet access needs a
    copy in the account's own ECR."""
    prompt_logs: PromptLogs
    alarm_email: fields.Email | None
    """Address that gets every alarm once it has confirmed the subscription."""
    alarms: Alarms
    dashboard: bool
    rollback_alarms: fields.RollbackAlarms
    """Existing CloudWatch alarms, by name or ARN, at most five. An update of alb or service is rolled back
    if one fires during it."""
    rollback_monitoring_minutes: Annotated[int, between(0, limits.MOST_ROLLBACK_MINUTES, "minutes")]
    """How long they are monitored after an update has completed."""


class Timeouts(Section):
    """Minutes after which gatestack stops waiting for one operation on a stack; AWS continues it."""

    security: Annotated[int, between(1, limits.MOST_TIMEOUT_MINUTES, "minutes")]
    network: Annotated[int, between(1, limits.MOST_TIMEOUT_MINUTES, "minutes")]
    alb: Annotated[int, between(1, limits.MOST_TIMEOUT_MINUTES, "minutes")]
    database: Annotated[int, between(1, limits.MOST_TIMEOUT_MINUTES, "minutes")]
    service: Annotated[int, between(1, limits.MOST_TIMEOUT_MINUTES, "minutes")]


class Deployment(Section):
    """How the stacks are deployed."""

    mode: Literal["standard", "express"]
    """express, for tier dev only: CloudFormation ends a stack once its configuration is applied, and
    gatestack waits until the resources are ready ([express mode](express.md))."""
    policy: Annotated[str, shape(r"[^\x00]{1,1000}", "the path of a folder")] | None
    """Folder with your own rules for the templates, relative to this file: cfn-guard's (*.guard), checkov's
    checks (*.py, *.yaml). If a rule fails, generate, plan and deploy refuse ([policy](policy.md))."""
    notify: Annotated[tuple[Notify, ...], Field(strict=False)]
    """Who is told when a deployment begins, waits for approval, fails or ends, and of drift
    ([notifications](notifications.md))."""
    timeout_minutes: Timeouts
