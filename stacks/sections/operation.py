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
    """A service beside the one that gets requests: it takes events out of Redis and passes them on."""

    enabled: bool
    backend: Literal["file", "lunary", "helicone"]
    """Where events go; `file` keeps them in the task, which is lost with it."""
    endpoint: fields.Endpoint | None
    """URL of the backend's API, or the path of the file; left out: the backend's own."""
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
    """Answers with 5xx in five minutes, of the tasks or of the load balancer itself."""
    server_error_percent: Annotated[int, between(0, 99, "percent")]
    """Part of the answers that are 5xx, of the tasks or of the load balancer itself."""
    client_error_percent: Annotated[int, between(0, 99, "percent")]
    """Part of the requests that the tasks refuse with 4xx, over fifteen minutes."""
    client_error_requests: Annotated[int, between(1, 1_000_000, "requests")]
    """Requests in five minutes below which client_error_percent is not checked."""
    latency_milliseconds: Annotated[int, between(0, 4_000_000, "milliseconds")]
    """Time until an answer begins; the time that a model thinks is part of it."""
    latency_percentile: Annotated[int, between(50, 99)]
    """95: five in a hundred answers may take longer than latency_milliseconds."""
    healthy_tasks: Annotated[int, between(0, 5000, "tasks")]
    """The alarm fires when fewer tasks answer the load balancer."""
    stopped_tasks: bool
    """A message for each task that stopped though no deployment, scaling or person asked for it."""
    database_cpu_percent: Annotated[int, between(1, 99, "percent")]
    cache_evictions: Annotated[int, between(0, 1_000_000, "entries")]
    """Entries that a full Redis drops in five minutes."""


class Observability(Section):
    """Logs, metrics and alarms."""

    log_retention_days: fields.LogRetention
    log_archive_days: Annotated[int, between(0, limits.MOST_ARCHIVE_DAYS, "days")]
    """How long S3 keeps all logs, longer than log_retention_days; 0 archives none."""
    cloudtrail: bool
    """A trail of who does what in the account, in all its regions. An account's first one costs nothing but
    its files; further ones are charged by the event."""
    cloudtrail_days: Annotated[int, between(1, limits.MOST_ARCHIVE_DAYS, "days")]
    """How long the trail's files are kept."""
    container_insights: bool
    xray: bool
    collector: Literal["none", "otel"]
    """otel: an OpenTelemetry collector in each task that gets requests, which takes traces to X-Ray and
    metrics to CloudWatch; LiteLLM sends both, without prompts and answers."""
    collector_image: container_fields.Image | None
    """Image of the collector; left out: AWS's own, in a release that is pinned. A network without a way out
    needs a copy in the account's own ECR."""
    prompt_logs: PromptLogs
    alarm_email: fields.Email | None
    """Gets every alarm, after confirming the subscription."""
    alarms: Alarms
    dashboard: bool
    rollback_alarms: fields.RollbackAlarms
    """CloudWatch alarms, by name or ARN, five at most: an update of alb or service during which one fires is
    rolled back. They have to exist."""
    rollback_monitoring_minutes: Annotated[int, between(0, limits.MOST_ROLLBACK_MINUTES, "minutes")]
    """How long they are watched after an update has done everything."""


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
    """express, for tier dev only: a stack ends once its configuration is applied, and resources become ready
    side by side while gatestack watches them ([express mode](express.md))."""
    policy: Annotated[str, shape(r"[^\x00]{1,1000}", "the path of a folder")] | None
    """Folder of your own rules over the templates, beside this file: cfn-guard's (*.guard), checkov's checks
    (*.py, *.yaml). A rule that fails makes generate, plan and deploy refuse ([policy](policy.md))."""
    notify: Annotated[tuple[Notify, ...], Field(strict=False)]
    """Who is told when a deployment begins, waits for approval, fails or ends, and of drift
    ([notifications](notifications.md))."""
    timeout_minutes: Timeouts
