"""
The migration: a task that brings the database's schema to what the image needs, and where it can be run.

It is part of the database stack, so that it is there before the service; the service stack asks for its run.
"""

from __future__ import annotations

from troposphere import Ref
from troposphere.ecs import ContainerDefinition

from stacks.parts.cluster import add_cluster
from stacks.parts.logs import add_log_group
from stacks.parts.task import (
    Login,
    add_task,
    database_secrets,
    database_variables,
    environment,
    image,
    image_name,
    logs,
)
from stacks.wiring import Stack

CONTAINER = "litellm-migration"
EXPORT = "MigrationTaskArn"

SIZE = {"Cpu": "1024", "Memory": "4096"}
"""MB: LiteLLM's own Terraform gives its migrations four gigabytes."""


def add(stack: Stack, login: Login) -> None:
    """Add what runs once to its end before the service changes: the proxy's image, the proxy's login."""
    settings = stack.settings
    log_group = add_log_group(stack, "MigrationLog", settings.migration_log_group)
    add_cluster(stack, "MigrationCluster", settings.migration_name)
    variables = database_variables(login) | {
        "DISABLE_SCHEMA_UPDATE": "false",
        # Some releases end with success after a failed migration unless they are told not to.
        "ENFORCE_PRISMA_MIGRATION_CHECK": "true",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOG": settings.service.log_level,
        "LITELLM_MODE": "PRODUCTION",
    }
    container = ContainerDefinition(
        Name=CONTAINER,
        Image=image(settings),
        Essential=True,
        EntryPoint=["python", "litellm/proxy/prisma_migration.py"],
        WorkingDirectory="/app",
        Environment=environment(settings.service.environment | variables),
        Secrets=database_secrets(login),
        ReadonlyRootFilesystem=False,
        LogConfiguration=logs(stack, log_group, "migration"),
    )
    task = add_task(stack, "MigrationTask", settings.migration_name, container, SIZE)
    stack.export(EXPORT, Ref(task), "Task that migrates the database's schema")


def ask_for(stack: Stack) -> None:
    """Have the deployer run the migration before *stack* changes to another image."""
    settings = stack.settings
    network = {name: settings.export_name("network", f"{name}Id") for name in _PLACE}
    stack.migrate(
        image=image_name(settings),
        definition_export=settings.export_name("database", EXPORT),
        cluster=settings.migration_name,
        container=CONTAINER,
        subnet_exports=[network["PrivateSubnet1"], network["PrivateSubnet2"]],
        security_group_exports=[network["EcsSecurityGroup"]],
        log_group=settings.migration_log_group,
        login_secret=settings.login_secret_name,
    )


_PLACE = ("PrivateSubnet1", "PrivateSubnet2", "EcsSecurityGroup")
