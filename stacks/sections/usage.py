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
    """Assumed monthly usage for `gatestack cost`; nothing deployed depends on it."""

    hours_per_month: Hours
    """Hours in which the environment runs; less if it is deleted at night."""
    spot_discount_percent: Percent
    """Discount of Fargate Spot against on demand. AWS says up to 70; it varies."""
    lcu_average: Average
    """Average load balancer capacity units (LCU)."""
    requests_million: Millions
    """Requests in a month, in millions; AWS WAF charges for them."""
    internet_gb: Gigabytes
    """Data from the load balancer to clients in a month."""
    nat_gb: Gigabytes
    """Data through all NAT gateways in a month."""
    endpoint_gb: Gigabytes
    """Data through all interface endpoints in a month."""
    log_gb: Gigabytes
    """Logs of the tasks in a month."""
    flow_log_gb: Gigabytes
    """VPC flow logs in a month."""
    acu_average: Average | None
    """Average capacity of each Aurora instance; left out: database.min_acu."""
    aurora_gb: Gigabytes
    """Storage of Aurora."""
    aurora_io_million: Millions
    """Aurora's reads and writes in a month, in millions."""
    backup_gb: Gigabytes
    """Backups of the database beyond the free amount, which is the size of the database."""
    s3_gb: Gigabytes
    """Storage of all buckets."""
    ecr_gb: Gigabytes
    """Images in the environment's own repository."""
    function_seconds: Seconds
    """Run time of each rotation function in a month."""
    input_tokens_million: Millions
    """Bedrock's input tokens in a month, in millions, for all models."""
    output_tokens_million: Millions
    """Bedrock's output tokens in a month, in millions, for all models."""
