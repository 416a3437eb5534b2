"""`service`: the tasks."""

from typing import Annotated, Literal

from pydantic import Field

from stacks.checking import fields, limits
from stacks.checking.fields import between
from stacks.checking.tasks import access_fields
from stacks.sections import Section
from stacks.sections.accepted import AcceptedAdvisory
from stacks.sections.access import Allowed
from stacks.sections.beside import Sidecar
from stacks.sections.variables import Provider, SecretSources, Variables


class ContainerCheck(Section):
    """ECS's own health check, inside the container."""

    path: fields.Path
    interval_seconds: Annotated[int, between(5, 300, "seconds")]
    timeout_seconds: Annotated[int, between(2, 60, "seconds")]
    retries: Annotated[int, between(1, 10, "checks")]
    """Failures in a row until ECS replaces the task."""
    start_seconds: Annotated[int, between(0, 300, "seconds")]
    """How long a starting container may fail."""


class Service(Section):
    """The ECS service: image, size, scaling."""

    image: fields.ImageName
    """`ecr`: the environment's own repository; otherwise a registry path without tag."""
    keep_images: bool
    """Whether the environment's own repository is kept on deletion; otherwise it is emptied and deleted with
    its stack."""
    image_tag: fields.ImageTag
    """Tag, or sha256:… digest; left out: the system's tested release."""
    accepted_advisories: Annotated[tuple[AcceptedAdvisory, ...], Field(strict=False)]
    """Known vulnerabilities of that release that do no harm here, each with a reason and an end."""
    port: Annotated[int, between(1, 65535)]
    cpu: fields.FargateCpu
    """CPU units; 1024 are one vCPU."""
    memory_mb: int
    """Fargate allows certain sizes with each CPU size."""
    architecture: Literal["x86_64", "arm64"]
    desired_count: Annotated[int, between(0, 5000, "tasks")]
    """Initial number of tasks; later scaling sets it. Left out: the default, adjusted to min_tasks and
    max_tasks."""
    min_tasks: Annotated[int, between(0, 5000, "tasks")]
    max_tasks: Annotated[int, between(1, 5000, "tasks")]
    cpu_target_percent: Annotated[int, between(1, 100, "percent")]
    """Scaling keeps the tasks' average CPU near this."""
    memory_target_percent: Annotated[int, between(0, 100, "percent")]
    """Scaling keeps the tasks' average memory near this; 0: no scaling on memory."""
    requests_per_target: Annotated[int, between(0, 1_000_000, "requests")]
    """Scaling keeps each task's requests per minute near this; 0: no scaling on requests. Rolling only."""
    scale_out_cooldown_seconds: Annotated[int, between(0, 3600, "seconds")]
    """How long scaling waits after it has added tasks."""
    scale_in_cooldown_seconds: Annotated[int, between(0, 3600, "seconds")]
    """How long scaling waits after it has removed tasks."""
    deployment_strategy: Literal["rolling", "blue_green", "canary", "linear"]
    """How new tasks take over. rolling: they replace the old ones step by step. Otherwise they start beside
    all the old ones, and the traffic moves at once (blue_green), after a first share (canary), or in equal
    steps (linear)."""
    shift_percent: Annotated[int, between(1, 99, "percent")]
    """Share of the traffic that canary shifts first, and linear at each step; at least 3 with linear."""
    shift_minutes: Annotated[int, between(0, 1440, "minutes")]
    """How long canary waits after that share, and linear after each step but the last."""
    bake_minutes: Annotated[int, between(0, 1440, "minutes")]
    """How long the old tasks stay after all traffic has gone to the new ones; not with rolling."""
    deployment_alarms: bool | None
    """Roll a deployment back if the alarm on 5xx responses or on unhealthy tasks fires during it; left out:
    true unless the strategy is rolling."""
    workers: Annotated[int, between(1, 64, "workers")]
    """Processes in a task; LiteLLM recommends one per vCPU."""
    spot: bool
    """Fargate Spot: about 70 % cheaper; AWS can stop a task with two minutes' notice."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"]
    """DEBUG writes keys and prompts to the log; `gatestack config set` changes it between deployments."""
    log_mode: Literal["non-blocking", "blocking"]
    """What a container does while CloudWatch accepts no logs. non-blocking: it continues, and logs that do
    not fit into its buffer are lost. blocking: it waits, and so do its requests."""
    log_buffer_mb: Annotated[int, between(1, limits.MOST_LOG_BUFFER_MB, "MB")]
    """Log buffer of each container, part of the task's memory; for non-blocking."""
    health_check: ContainerCheck
    grace_seconds: Annotated[int, between(0, 7200, "seconds")]
    """How long a new task may fail the load balancer's health check before ECS replaces it."""
    stop_timeout_seconds: Annotated[int, between(1, 120, "seconds")]
    execute_command: bool
    """Whether people with the IAM permission can run commands in a task (`aws ecs execute-command`). They
    see everything in it, secrets included. Input and output are recorded."""
    environment: dict[str, str]
    """Further environment variables; no secrets."""
    environment_from: dict[str, str]
    """Variables with outputs of your own stacks: PROMPTS_BUCKET: extras.BucketName."""
    parameters: fields.Parameters
    """SSM parameters that tasks read at their start; no secrets: rate-limit-rpm: "100"."""
    secrets: Variables
    """Variables of the tasks whose values people enter: [AZURE_API_KEY], then `gatestack secret set ENV
    AZURE_API_KEY`."""
    secrets_from: SecretSources
    """Variables of the tasks from existing secrets and parameters: DATADOG_API_KEY: an ARN of Secrets
    Manager or SSM, or {arn, kms_key_arn} where a customer key encrypts it; or from a secret of your own
    stack, `${extras.TokenArn}`."""
    providers: Annotated[tuple[Provider, ...], Field(strict=False)]
    """Model providers that the proxy calls. Each variable that a provider needs gets a secret, except those
    in environment, parameters and secrets_from."""
    bedrock_models: fields.BedrockModels
    """Foundation-model or inference-profile ids that the task may invoke in addition to those in config, for
    models that people add in LiteLLM's admin UI."""
    config: dict[str, object]
    """LiteLLM's config.yaml, unchanged. The tasks' role gets the permissions for the AWS services that it
    calls."""
    sidecars: Annotated[tuple[Sidecar, ...], Field(strict=False)]
    """Containers that run in each task beside the application's own."""
    task_policy: Annotated[tuple[Allowed, ...], Field(strict=False)]
    """What the application may do in AWS beyond what follows from the other keys."""
    managed_policies: access_fields.ManagedPolicies
    """Managed policies for the tasks' role, of AWS or of the account."""
    security_group_ids: access_fields.SecurityGroups
    """Security groups that the tasks have in addition to their own; they must be in the VPC."""

    @property
    def scaled(self) -> bool:
        """Whether Application Auto Scaling owns the number of tasks."""
        return self.max_tasks > self.min_tasks

    @property
    def alarms_roll_back(self) -> bool:
        """Whether an alarm takes a deployment back."""
        return self.shifts_traffic if self.deployment_alarms is None else self.deployment_alarms

    @property
    def shifts_traffic(self) -> bool:
        """Whether a deployment puts all new tasks beside the old ones and then moves the traffic to them."""
        return self.deployment_strategy != "rolling"
