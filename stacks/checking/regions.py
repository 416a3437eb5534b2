"""
The known regions: an unknown name is refused, with the closest known one.

Only regions in the table are accepted. AWS opens a few regions a year; until `make regions` has read one from
a newer botocore, prices, limits and cfn-lint's rules do not know it either.
"""

from __future__ import annotations

from stacks.checking.region_table import REGIONS, SEEN

KNOWN = frozenset(region for regions in REGIONS.values() for region in regions)


def partition_of(region: str) -> str:
    """Return the partition of *region*, which is a region: ``aws-us-gov``."""
    return next(name for name, regions in REGIONS.items() if region in regions)


def checked(name: str) -> str:
    """
    Return *name*, which is a region.

    Raises:
        ValueError: it is none.

    """
    if name in KNOWN:
        return name
    from difflib import get_close_matches  # noqa: PLC0415 - only for mistyped names

    near = get_close_matches(name.lower(), sorted(KNOWN))
    near.sort(key=lambda one: sorted(one) != sorted(name.lower()))  # transposed letters come first
    meant = f"; did you mean {near[0]}?" if near else ""
    listed = f"as of {SEEN}; a later gatestack may know more"
    raise ValueError(f"{name!r} is not a region like us-east-1 ({listed}){meant}")
