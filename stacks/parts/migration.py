"""
The migration: the task that updates the database's schema for the image, and the network it runs in.

It is part of the database stack, so that it exists before the service; the service stack requests its run.
"""

from __future__ import annotations

from troposphere import Ref

from stacks.parts.cluster import add_cluster
from stacks.parts.logs import add_log_group
from stacks.parts.task import add_task, image_name
from stacks.wiring import Stack

EXPORT = "MigrationTaskArn"


def add(stack: Stack) -> None:
    """Add the task that runs once before the service changes, if the application has one."""
    migration = stack.application.migration
    if migration is None:
        return
    settings, program = stack.settings, migration.program
    log_group = add_log_group(stack, "MigrationLog", settings.log_group_of(program.name))
    add_cluster(stack, "MigrationCluster", settings.named(program.name))
    task = add_task(stack, program, log_group, cpu=migration.cpu, memory_mb=migration.memory_mb)
    stack.export(EXPORT, Ref(task), "Task that migrates the database's schema")


def ask_for(stack: Stack) -> None:
    """Have the deployer run the migration before *stack* changes to another image."""
    migration = stack.application.migration
    if migration is None:
        return
    settings, program = stack.settings, migration.program
    network = {name: settings.export_name("network", f"{name}Id") for name in _PLACE}
    stack.migrate(
        image=image_name(settings),
        definition_export=settings.export_name("database", EXPORT),
        cluster=settings.named(program.name),
        container=program.container,
        subnet_exports=[network["PrivateSubnet1"], network["PrivateSubnet2"]],
        security_group_exports=[network["EcsSecurityGroup"]],
        log_group=settings.log_group_of(program.name),
    )


_PLACE = ("PrivateSubnet1", "PrivateSubnet2", "EcsSecurityGroup")
