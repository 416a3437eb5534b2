"""What the environment's file adds to the tasks' role: statements of its own, and managed policies."""

from __future__ import annotations

from troposphere import iam

from stacks.checking.tasks.task_policy import POLICY_NAME, statement
from stacks.settings import Settings


def extend(role: iam.Role, settings: Settings) -> None:
    """Add to *role* what the file says; its statements are a policy of their own, beside gatestack's."""
    service = settings.service
    if service.task_policy:
        document = {"Version": "2012-10-17", "Statement": [statement(one) for one in service.task_policy]}
        own = iam.Policy(PolicyName=POLICY_NAME, PolicyDocument=document)
        role.Policies = [*role.properties.get("Policies", []), own]
    if service.managed_policies:
        role.ManagedPolicyArns = list(service.managed_policies)
