"""Settings -> manifest of the bootstrap stack, which is deployed as any environment is."""

from __future__ import annotations

import json

from generator.manifest import Manifest, StackSpec
from stacks import bootstrap
from stacks.settings import Settings

TIMEOUT_MINUTES = 30


def render_bootstrap(settings: Settings) -> Manifest:
    """
    Return a manifest of one stack; the same for all environments with the same `pipelines`.

    Its template has no spaces, and is still above what CloudFormation takes in a request (51 200 bytes): the
    deployer puts it into the account's bucket for large templates.
    """
    stack = bootstrap.build(settings)
    template = json.dumps(stack.template.to_dict(), separators=(",", ":"), sort_keys=True)
    return Manifest(
        environment=stack.tags["Environment"],
        system=stack.tags["System"],
        region=settings.region,
        account=settings.account,
        production=False,
        stacks=(
            StackSpec(
                name=stack.name,
                stack_name=stack.stack_name,
                template=f"{template}\n",
                capabilities=("CAPABILITY_NAMED_IAM",),
                tags=stack.tags,
                termination_protection=True,
                timeout_minutes=TIMEOUT_MINUTES,
            ),
        ),
    )
