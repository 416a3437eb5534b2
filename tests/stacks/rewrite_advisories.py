"""
Rewrites stacks/checking/releases/advisory_table.py from the advisory database of PyPI; read the diff.

Without arguments it asks OSV, which has the advisories of PyPI (PYSEC) and of GitHub (GHSA). `--from FOLDER`
reads the same records from files instead (OSV's schema, JSON or YAML): vulns/litellm of a clone of
pypa/advisory-database, or what OSV answered elsewhere. A sentence that stands in the table stays: it is ours;
a new advisory comes with its database's own, to be put into plain words.
"""

import argparse
import json
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from textwrap import shorten
from typing import Any

import yaml

from stacks.checking.releases import advisory_table
from stacks.checking.releases.advisory import SEVERITIES, Advisory, Affected
from tests.places import ROOT

TABLE = ROOT / "stacks" / "checking" / "releases" / "advisory_table.py"
OSV = "https://api.osv.dev/v1/query"
PACKAGE = "litellm"
TEXT = '''"""Known vulnerabilities of LiteLLM. `make advisories` writes this file."""

from __future__ import annotations

from typing import Final

from stacks.checking.releases.advisory import Advisory, Affected

SEEN: Final = "{day}"
SOURCE: Final = "{source}"
ADVISORIES: Final = (
{rows}
)
"""The newest first; of records about the same vulnerability, one with all their ranges."""
'''
PAGES = 100
"""Most pages; more than there are."""
MOST_WORDS = 95
"""Characters of a sentence: it is on one line of the table."""

Record = Mapping[str, Any]


def asked() -> Iterator[Record]:
    """Yield every record of OSV about the package (OSV API, "POST /v1/query")."""
    token = ""
    for _ in range(PAGES):
        question = {"package": {"name": PACKAGE, "ecosystem": "PyPI"}} | (
            {"page_token": token} if token else {}
        )
        request = urllib.request.Request(OSV, json.dumps(question).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - https
            page = json.load(answer)
        yield from page.get("vulns", ())
        token = page.get("next_page_token", "")
        if not token:
            return


def read(folder: Path) -> Iterator[Record]:
    """Yield the records in the files of *folder*."""
    for path in sorted(folder.iterdir()):
        if path.suffix in {".json", ".yaml", ".yml"}:
            yield yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506 - texts alone


def table(records: Iterable[Record], known: Iterable[Advisory] = ()) -> tuple[Advisory, ...]:
    """Return the advisories of *records*, with the sentences that *known* has for them."""
    ours = {name: one.summary for one in known for name in one.names}
    groups: list[list[Record]] = []
    for record in records:
        if record.get("withdrawn") or not affected(record):
            continue
        same = [group for group in groups if names(record) & {name for one in group for name in names(one)}]
        groups = [group for group in groups if group not in same]
        groups.append([record, *(one for group in same for one in group)])
    found = (_advisory(sorted(group, key=_order), ours) for group in groups)
    return tuple(sorted(found, key=lambda one: (one.published, one.id), reverse=True))


def names(record: Record) -> set[str]:
    """Return the names of the record's vulnerability."""
    return {record["id"], *record.get("aliases", ())}


def affected(record: Record) -> tuple[Affected, ...]:
    """Return the releases affected by a record."""
    found = []
    for part in record.get("affected", ()):
        if part.get("package", {}).get("name") != PACKAGE:
            continue
        for span in part.get("ranges", ()):
            if span["type"] == "ECOSYSTEM":
                found += _spans(span["events"])
    return tuple(found)


def _spans(events: Iterable[Mapping[str, str]]) -> Iterator[Affected]:
    """Yield the ranges between the events, which are ordered (OSV schema, "affected[].ranges[].events")."""
    began = None
    for event in events:
        if "introduced" in event:
            began = event["introduced"]
        elif began is not None and ("fixed" in event or "last_affected" in event):
            yield Affected(began, event.get("fixed"), event.get("last_affected"))
            began = None
    if began is not None:
        yield Affected(began)


def _order(record: Record) -> tuple[bool, str]:
    return (not str(record["id"]).startswith("PYSEC"), record["id"])


def _advisory(records: list[Record], ours: Mapping[str, str]) -> Advisory:
    """Return one advisory of the *records* about it; the first of them names it."""
    first = records[0]
    called = sorted({name for one in records for name in names(one)} - {first["id"]})
    severities = {str(one.get("database_specific", {}).get("severity", "")).lower() for one in records} & set(
        SEVERITIES
    )
    text = shorten(str(first.get("summary") or first.get("details", "")), MOST_WORDS, placeholder=" ...")
    return Advisory(
        id=first["id"],
        aliases=tuple(called),
        severity=min(severities, key=SEVERITIES.index, default=""),
        published=min(str(one["published"])[:10] for one in records),
        summary=next((ours[name] for name in (first["id"], *called) if name in ours), text),
        affected=tuple(dict.fromkeys(part for one in records for part in affected(one))),
        source=_source(first),
    )


def _source(record: Record) -> str:
    told = [one["url"] for one in record.get("references", ()) if one.get("type") == "ADVISORY"]
    return next(iter(told), f"https://osv.dev/vulnerability/{record['id']}")


def written(advisories: Iterable[Advisory], day: str, source: str) -> str:
    """Return the module with *advisories*."""
    return TEXT.format(day=day, source=source, rows="\n".join(map(_row, advisories)))


def _row(one: Advisory) -> str:
    spans = "".join(f"            {_span(part)},\n" for part in one.affected)
    lines = (f"{_tuple(one.aliases)},", f"{_text(one.severity)},", f"{_text(one.published)},")
    head = "".join(f"        {line}\n" for line in (f"{_text(one.id)},", *lines, f"{_text(one.summary)},"))
    return f"    Advisory(\n{head}        (\n{spans}        ),\n        {_text(one.source)},\n    ),"


def _span(part: Affected) -> str:
    more = [f"{name}={_text(value)}" for name, value in (("fixed", part.fixed), ("last", part.last)) if value]
    return f"Affected({', '.join([_text(part.introduced), *more])})"


def _tuple(texts: tuple[str, ...]) -> str:
    inner = ", ".join(map(_text, texts))
    return f"({inner},)" if len(texts) == 1 else f"({inner})"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--from", dest="folder", type=Path, help="Folder with records, instead of asking OSV."
    )
    parser.add_argument("--source", help="Where the folder's records are from, for the table.")
    said = parser.parse_args()
    records = tuple(read(said.folder) if said.folder else asked())
    made = table(records, advisory_table.ADVISORIES)
    if not made:
        raise SystemExit("no record about the package: the table is left as it is")
    day = str(datetime.now(UTC).date())
    TABLE.write_text(written(made, day, said.source or f"OSV, package {PACKAGE} of PyPI"), encoding="utf-8")
