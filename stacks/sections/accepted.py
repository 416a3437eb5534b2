"""`service.accepted_advisories`: known vulnerabilities that an environment accepts until a date."""

from datetime import date
from typing import Annotated

from stacks.checking.fields import Checked, shape
from stacks.checking.tasks import access_fields as kinds
from stacks.sections import Section


def _day(text: str) -> str:
    try:
        if date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise ValueError(f"{text!r} is not a day like 2027-01-31")


class AcceptedAdvisory(Section):
    """One of them."""

    id: Annotated[
        str,
        shape(
            r"CVE-[0-9]{4}-[0-9]{4,}|GHSA(-[23456789cfghjmpqrvwx]{4}){3}|PYSEC-[0-9]{4}-[0-9]+",
            "an advisory like CVE-2026-42208, GHSA-r75f-5x8p-qvmc or PYSEC-2026-388",
        ),
    ]
    """CVE, GHSA or PYSEC id."""
    reason: kinds.Reason
    """Why it is harmless here."""
    until: Annotated[str, Checked(_day, (("format", "date"),))]
    """Last day of the acceptance, in UTC and in quotes: "2027-01-31"."""
