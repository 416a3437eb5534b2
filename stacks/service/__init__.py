"""The service stack: image repository, the application as ECS services, scaling, rotation, alarms."""

from __future__ import annotations

from troposphere import GetAtt, Ref

from stacks.application import Background, camel
from stacks.parts import migration, task_policy
from stacks.service import secret_access, secret_handover
from stacks.service.alarms import add_service_alarms
from stacks.service.dashboard import add_dashboard
from stacks.service.repository import add_repository
from stacks.service.scaling import add_scaling
from stacks.service.services import Running, add_background, add_entrance
from stacks.settings import Settings
from stacks.systems import application
from stacks.wiring import Stack


def build(settings: Settings) -> Stack:
    """
    Return the stack that runs the application.

    Its imports from the alb stack order it after the listener's rules: ECS refuses a target group that no
    load balancer uses yet.
    """
    title = application(settings.system).title
    stack = Stack(settings, "service", f"{title} on ECS Fargate, its images, scaling and alarms")
    repository = add_repository(stack)
    _upload_config(stack)
    migration.ask_for(stack)
    if settings.database.exists:
        stack.log_in_with(settings.login_secret_name)
    allowed = (*secret_access.allow_start(stack), *task_policy.add_of_own_stacks(stack))
    running = add_entrance(stack, allowed)
    others = [_background(stack, one, allowed) for one in stack.application.background(settings)]
    if stack.application.rotation:
        secret_handover.rotate(stack, stack.application.rotation, running)
    if settings.service.scaled:
        add_scaling(stack, running)
    add_service_alarms(stack, running, *others)
    if settings.observability.dashboard:
        add_dashboard(stack, running)
    stack.export("ClusterName", Ref(running.cluster), "ECS cluster")
    stack.export("ServiceName", running.name, "ECS service that gets the requests")
    stack.export("EcrRepositoryUri", GetAtt(repository, "RepositoryUri"), "Where the image is pushed to")
    stack.export("LogGroupName", Ref(running.log_group), "Log group of the tasks")
    stack.export("TaskDefinitionArn", Ref(running.task), "What the service runs")
    return stack


def _background(stack: Stack, beside: Background, allowed: tuple[str, ...]) -> Running:
    running, name = add_background(stack, beside, allowed), beside.program.name
    stack.export(f"{camel(name)}ServiceName", running.name, f"ECS service of the {name}")
    return running


def _upload_config(stack: Stack) -> None:
    """Upload the configuration to S3 before tasks start that read it there."""
    config = stack.application.config
    if config:
        bucket = stack.settings.export_name("security", "ConfigBucketName")
        stack.upload(config.file, bucket_export=bucket, key=config.key(stack.settings))
