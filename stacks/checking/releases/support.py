"""When AWS ends the support of an environment's versions: a warning from half a year before. Pure."""

from __future__ import annotations

from datetime import date, timedelta

from stacks.checking.releases import support_table

NOTICE = timedelta(days=183)
"""Half a year: a major version is changed with care, and twice a year is often enough to hear of it."""
EXTENDED_SUPPORT = (
    "from the day after, RDS Extended Support is charged by the hour and vCPU ($0.100, from the third year "
    "$0.200 in us-east-1)"
)
"""Amazon RDS for PostgreSQL pricing, "Amazon RDS Extended Support costs", as cost guides of 2026 have it."""
NAMES = {"postgres": "PostgreSQL", "aurora-postgresql": "Aurora PostgreSQL"}


def database_ends(engine: str, version: str, today: date) -> str | None:
    """
    Return a warning of the end of standard support of *version*; None until half a year before.

    *engine*: as RDS calls it. *version*: ``15`` or ``15.15``. A version missing in the table gives None.
    """
    major = version.partition(".")[0]
    end = support_table.DATABASES.get(engine, {}).get(major)
    if end is None or not _is_near(end, today):
        return None
    return f"the standard support of {NAMES[engine]} {major} {_when(end, today)}; {EXTENDED_SUPPORT}"


def runtime_ends(runtime: str, today: date) -> str | None:
    """Return a warning of the end of a Lambda runtime; None until half a year before."""
    end = support_table.RUNTIMES.get(runtime)
    if end is None or not _is_near(end, today):
        return None
    return f"Lambda's runtime {runtime} {_when(end, today)}: AWS mends no fault of it any more after that"


def _is_near(end: str, today: date) -> bool:
    return date.fromisoformat(end) - today <= NOTICE


def _when(end: str, today: date) -> str:
    return f"{'ended' if date.fromisoformat(end) < today else 'ends'} on {end}"
