"""
Syntax of availability zones: the account's name of one, or AWS's id. Pure.

Source: AWS RAM User Guide, "Availability Zone IDs for your AWS resources" (``use1-az1``); Amazon EC2 User
Guide, "Regions and Zones": a name is the region's and a letter.
"""

from __future__ import annotations

import re
from typing import Final

from stacks.checking.region_table import REGIONS

ID: Final = r"[a-z]{2,4}[a-z]{0,4}[0-9]{1,2}-az[0-9]{1,2}"
NAME: Final = r"[a-z]{2,4}(-[a-z]+)+-[0-9][a-z]"
_FOLLOWING: Final = ("aws", "aws-cn", "aws-us-gov")
"""Partitions whose ids are known to be made of the region's name."""
_COMPASS: Final = r"north|south|east|west"


def belongs(zone: str, region: str) -> bool:
    """Whether *zone*, a name or an id, can be one of *region*'s; an id of an isolated region always can."""
    if re.fullmatch(NAME, zone):
        return zone[:-1] == region
    known = any(region in REGIONS.get(partition, ()) for partition in _FOLLOWING)
    return not known or zone.startswith(f"{abbreviated(region)}-az")


def abbreviated(region: str) -> str:
    """Return what the ids of a region's zones begin with: ``apne1`` of ``ap-northeast-1``."""
    area, *words, number = region.split("-")
    letters = ("".join(part[0] for part in re.findall(_COMPASS, word)) or word[0] for word in words)
    return f"{area}{''.join(letters)}{number}"
