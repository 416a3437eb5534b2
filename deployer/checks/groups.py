"""Requirements on additional security groups of the tasks. Pure: facts in, problems out."""

from __future__ import annotations

from deployer.checks.facts import Facts, Problem, Problems
from generator.manifest import Existing

KEY = "service.security_group_ids"


def group_problems(wanted: Existing, facts: Facts) -> Problems:
    """
    Yield what keeps a task from having a group: it does not exist, or is in another VPC.

    ECS takes groups of the VPC of the tasks' subnets alone, and says so only as the service is made (Amazon
    ECS API Reference, AwsVpcConfiguration, securityGroups).
    """
    if not wanted.security_groups or not facts.known("groups"):
        return
    place = wanted.vpc_id or facts.own_vpc
    for group in wanted.security_groups:
        vpc = facts.groups.get(group)
        if vpc is None:
            text = (
                f"there is no security group {group} in {facts.region}, for these credentials; correct the id"
            )
            yield Problem(KEY, f"{text}, the region or the login")
        elif place is None:
            text = (
                f"{group} is in {vpc}, and the VPC of this environment is yet to be made; deploy without it"
            )
            yield Problem(KEY, f"{text}, make the group in the new VPC, and add it then")
        elif vpc != place:
            text = f"{group} is in {vpc}, and the tasks are in {place}; name a group of {place}"
            yield Problem(KEY, text)
