"""The assumed monthly usage, as a manifest contains it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Usage:
    """The assumptions, by the keys of an environment file's `usage`, in the units that their names say."""

    hours_per_month: float
    spot_discount_percent: float
    lcu_average: float
    requests_million: float
    internet_gb: float
    nat_gb: float
    endpoint_gb: float
    log_gb: float
    flow_log_gb: float
    acu_average: float | None
    aurora_gb: float
    aurora_io_million: float
    backup_gb: float
    s3_gb: float
    ecr_gb: float
    function_seconds: float
    input_tokens_million: float
    output_tokens_million: float

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Usage:
        """
        Return what a manifest says.

        Raises:
            ValueError: it says nothing, or not numbers: another gatestack wrote it.

        """
        names = [field.name for field in fields(cls)]
        if missing := [name for name in names if name not in given]:
            raise ValueError(f"the manifest has no usage.{missing[0]}: run `gatestack generate` again")
        known = {name: given[name] for name in names}
        for name, value in known.items():
            empty = value is None and name == "acu_average"
            if not empty and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise ValueError(f"the manifest's usage.{name} is {value!r}, no number")
        return cls(**known)
