"""`usage`: the assumed monthly usage, for the cost estimate only; no template contains it."""

import math
from typing import Annotated

from stacks.checking.fields import Checked
from stacks.sections import Section

HOURS_IN_A_MONTH = 744
"""Of 31 days; the default, 730, is the twelfth part of a year, as AWS Pricing Calculator counts it."""


def _up_to(most: int, unit: str, least: int = 0) -> Checked:
    """Number from *least* to *most*, parts of one included."""

    def check(number: float) -> float:
        if not (math.isfinite(number) and least <= number <= most):
            raise ValueError(f"{number:g} is out of range; {least} to {most} {unit}")
        return number

    return Checked(check, (("minimum", least), ("maximum", most)))


Hours = Annotated[float, _up_to(HOURS_IN_A_MONTH, "hours", least=1)]
Gigabytes = Annotated[float, _up_to(10_000_000, "GB")]
Millions = Annotated[float, _up_to(1_000_000, "million")]
Average = Annotated[float, _up_to(100_000, "on average")]
Percent = Annotated[float, _up_to(100, "percent")]
Seconds = Annotated[float, _up_to(10_000_000, "seconds")]


class Usage(Section):
    """What a month is taken to bring, for `gatestack cost`; nothing deployed depends on it."""

    hours_per_month: Hours
    """How long everything runs in a month; less where an environment is taken away at night."""
    spot_discount_percent: Percent
    """How much less than on demand Fargate Spot costs; AWS says up to 70, and moves it."""
    lcu_average: Average
    """Load balancer capacity units that are in use on average."""
    requests_million: Millions
    """Requests in a month, in millions: the firewall charges by them."""
    internet_gb: Gigabytes
    """What clients get from the load balancer in a month."""
    nat_gb: Gigabytes
    """What goes through all NAT gateways together in a month."""
    endpoint_gb: Gigabytes
    """What goes through all interface endpoints together in a month."""
    log_gb: Gigabytes
    """What the services' tasks write to their logs in a month."""
    flow_log_gb: Gigabytes
    """What the VPC's flow logs come to in a month."""
    acu_average: Average | None
    """Aurora's capacity on average, of each instance; left out: database.min_acu."""
    aurora_gb: Gigabytes
    """What Aurora stores."""
    aurora_io_million: Millions
    """Aurora's reads and writes in a month, in millions."""
    backup_gb: Gigabytes
    """Backups of the database beyond those that AWS makes room for: as much as the database itself."""
    s3_gb: Gigabytes
    """What all buckets together hold."""
    ecr_gb: Gigabytes
    """What the images in the environment's own repository come to."""
    function_seconds: Seconds
    """How long each rotation function runs in a month."""
    input_tokens_million: Millions
    """Tokens that Bedrock reads in a month, in millions, over all models."""
    output_tokens_million: Millions
    """Tokens that Bedrock writes in a month, in millions, over all models."""
