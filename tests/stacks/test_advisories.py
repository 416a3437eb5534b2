"""Known vulnerabilities of LiteLLM: the table, which releases they are in, what is accepted, the script."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from stacks.checking.releases import advisory_table
from stacks.checking.releases.advisory import SEVERITIES, Advisory, Affected, Release, Releases
from stacks.checking.releases.judgement import Judgement, judged
from stacks.environment import EnvironmentFileError, defaults, parse_settings
from stacks.systems import MODULES, application
from tests.places import ROOT
from tests.stacks import rewrite_advisories

DAY = date(2026, 11, 28)
LITELLM = application("litellm").releases
assert LITELLM
PUBLIC = "ghcr.io/berriai/litellm-database"


@dataclass(frozen=True)
class Taken:
    """An acceptance."""

    id: str
    until: str = "2026-12-31"
    reason: str = "nobody outside reaches it"


def names(tag: str, image: str = "ecr") -> set[str]:
    return {one.name for one in judged(LITELLM, image, tag, (), DAY).open}


# releases


@pytest.mark.parametrize(
    ("tag", "number", "final"),
    [
        ("v1.93.0", (1, 93, 0), True),
        ("1.93.0", (1, 93, 0), True),
        ("main-v1.83.14-stable", (1, 83, 14), True),
        ("v1.83.14-stable.patch1", (1, 83, 14), True),
        ("v1.83.14-nightly", (1, 83, 14), False),
        ("v1.104.0-rc.2", (1, 104, 0), False),
        ("1.104.0rc2", (1, 104, 0), False),
        ("v1.105.0-dev.1", (1, 105, 0), False),
        ("v1.93.0-acme.7", (1, 93, 0), True),
        ("v1.16.20.1", (1, 16, 20, 1), True),
    ],
)
def test_a_tag_names_its_release(tag: str, number: tuple[int, ...], *, final: bool) -> None:
    assert Release.of(tag) == Release(number, final)


@pytest.mark.parametrize(
    "tag", ["latest", "main-latest", "sha256:" + "0" * 64, "0a1b2c3d4e5f", "v1", "1.2.", ""]
)
def test_a_tag_that_names_no_release_is_unknown(tag: str) -> None:
    assert Release.of(tag) is None


def test_what_comes_before_a_release_is_before_it() -> None:
    order = ["v1.83.13", "v1.83.14-nightly", "v1.83.14", "v1.84.0rc1", "v1.84.0", "v1.100.0"]
    found = [release for tag in order if (release := Release.of(tag))]

    assert all(one < other for one, other in pairwise(found))
    assert len(found) == len(order)


# the table


@pytest.mark.parametrize(
    ("name", "hit", "free"),
    [
        ("CVE-2026-42208", ["1.81.16", "1.83.0", "1.83.6"], ["1.81.15", "1.83.7"]),
        ("CVE-2026-49468", ["1.0.0", "1.83.14", "1.84.0rc1"], ["1.84.0"]),
        ("CVE-2026-42203", ["1.80.5", "1.83.6"], ["1.80.4", "1.83.7"]),
        ("CVE-2026-40217", ["1.81.8", "1.83.9"], ["1.81.7", "1.83.10"]),
        ("PYSEC-2026-2", ["1.82.7", "1.82.8"], ["1.82.6", "1.83.0"]),
        (
            "CVE-2026-84377",
            ["1.87.5", "1.93.0", "1.93.1", "1.96.1"],
            ["1.88.6", "1.93.2", "1.96.2", "1.97.0"],
        ),
        ("CVE-2026-114612", ["1.93.0", "1.100.3", "1.101.2", "1.103.0"], ["1.100.4", "1.101.3", "1.103.1"]),
    ],
)
def test_the_known_vulnerabilities_are_in_the_releases_that_have_them(
    name: str, hit: list[str], free: list[str]
) -> None:
    assert {tag: name in names(tag) for tag in hit} == dict.fromkeys(hit, True)
    assert {tag: name in names(tag) for tag in free} == dict.fromkeys(free, False)


def test_every_row_of_the_table_is_whole() -> None:
    assert len(advisory_table.ADVISORIES) >= 30
    for one in advisory_table.ADVISORIES:
        assert one.severity in SEVERITIES, one
        assert date.fromisoformat(one.published) <= date.fromisoformat(advisory_table.SEEN), one
        assert one.source.startswith("https://"), one
        assert one.summary, one
        assert one.affected, one
    every = [name for one in advisory_table.ADVISORIES for name in one.names]
    assert len(every) == len(set(every)), "one vulnerability in two rows"


@pytest.mark.parametrize("system", MODULES)
@pytest.mark.parametrize("tier", ["dev", "production"])
def test_the_shipped_releases_are_hit_by_no_advisory(system: str, tier: str) -> None:
    described, service = application(system), defaults(system, tier)["service"]
    found = judged(described.releases, service["image"], service["image_tag"], (), DAY)

    assert (found.told, found.notes) == ("", ())


def test_the_remedy_is_a_release_without() -> None:
    for tag in ("v1.83.0", "v1.93.0", "1.0.0", "v1.100.0"):
        found = judged(LITELLM, PUBLIC, tag, (), DAY)
        free = found.remedy.split()[1]

        assert found.open
        assert names(free) == set(), free


# what is accepted


def test_production_with_a_release_of_today_has_nothing_to_say() -> None:
    assert judged(LITELLM, "ecr", "v1.108.14", (), DAY) == Judgement()


def test_a_release_with_many_is_told_in_one_line_the_worst_first() -> None:
    found = judged(LITELLM, "ecr", "v1.83.0", (), DAY)

    assert found.told.startswith(f"v1.83.0 has {len(found.open)} known vulnerabilities. CVE-")
    assert "(critical): SQL injection through the key itself" in found.told
    assert found.open[0].severity == "critical"
    assert [SEVERITIES.index(one.severity) for one in found.open] == sorted(
        SEVERITIES.index(one.severity) for one in found.open
    )
    assert found.remedy == (
        "use 1.100.4 or a later release, or accept each with id, reason and until in "
        "service.accepted_advisories"
    )


@pytest.mark.parametrize("name", ["CVE-2026-114612", "GHSA-7hp6-4w63-5g45"])
def test_one_is_accepted_by_any_of_its_names_until_the_end_of_its_day(name: str) -> None:
    taken = [Taken(name, "2026-11-28")]

    found = judged(LITELLM, "ecr", "v1.103.0", taken, DAY)
    assert (found.open, found.notes) == (
        (),
        ("CVE-2026-114612 is accepted until 2026-11-28: nobody outside reaches it",),
    )
    later = judged(LITELLM, "ecr", "v1.103.0", taken, date(2026, 11, 29))
    assert [one.name for one in later.open] == ["CVE-2026-114612"]
    assert later.notes == (
        f"service.accepted_advisories: {name} was accepted until 2026-11-28, and that is over",
    )


def test_an_acceptance_that_does_nothing_is_told() -> None:
    found = judged(LITELLM, "ecr", "v1.108.14", [Taken("CVE-2026-49468"), Taken("CVE-2026-99999")], DAY)

    assert found.notes == (
        "service.accepted_advisories: CVE-2026-49468 is not in v1.108.14; remove it",
        "service.accepted_advisories: CVE-2026-99999 is no known advisory; correct or remove it",
    )


@pytest.mark.parametrize(
    ("image", "tag"),
    [("ecr", "0a1b2c3d4e5f"), ("ecr", "sha256:" + "0" * 64), ("ghcr.io/acme/gateway", "v1.83.0")],
)
def test_what_names_no_public_release_is_told_and_not_refused(image: str, tag: str) -> None:
    found = judged(LITELLM, image, tag, (), DAY)

    assert (found.open, found.known) == ((), False)
    assert found.notes == (f"{tag} names no public release: nobody can tell what is in it",)


def test_a_system_without_public_releases_is_not_judged() -> None:
    assert judged(None, "ecr", "v0.0.1", (), DAY) == Judgement()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{id: CVE-1, reason: x, until: '2027-01-01'}", "'CVE-1' is not an advisory like CVE-2026-42208"),
        ("{id: CVE-2026-42208, reason: x, until: '2027-02-30'}", "'2027-02-30' is not a day like 2027-01-31"),
        ("{id: CVE-2026-42208, reason: x, until: '20270101'}", "'20270101' is not a day like 2027-01-31"),
        ("{id: CVE-2026-42208, reason: '', until: '2027-01-01'}", "is not a reason"),
        ("{id: CVE-2026-42208, until: '2027-01-01'}", "reason: missing"),
    ],
)
def test_an_acceptance_is_whole(row: str, said: str) -> None:
    head = "system: litellm\nenvironment: dev\nalb: {internal: true}\n"
    text = f"{head}service:\n  accepted_advisories: [{row}]\n"
    with pytest.raises(EnvironmentFileError) as caught:
        parse_settings(text, Path("dev.yaml"))

    assert said in str(caught.value)


# the script


def record(name: str, *events: Mapping[str, str], **more: Any) -> dict[str, Any]:
    spans = [{"type": "ECOSYSTEM", "events": list(events)}]
    affected = [{"package": {"name": "litellm", "ecosystem": "PyPI"}, "ranges": spans}]
    return {
        "id": name,
        "published": "2026-06-29T11:50:39Z",
        "affected": affected,
        "summary": "Theirs",
        **more,
    }


def test_records_about_the_same_vulnerability_are_one_row() -> None:
    first, fixed = {"introduced": "0"}, {"fixed": "1.84.0"}
    rows = [
        record("GHSA-1", first, fixed, aliases=["CVE-1"], database_specific={"severity": "HIGH"}),
        record("PYSEC-1", first, fixed, aliases=["CVE-1"], published="2026-06-16T00:00:00Z"),
        record("PYSEC-2", first, {"last_affected": "1.2.3"}, withdrawn="2026-07-01T00:00:00Z"),
        record("PYSEC-3", {"introduced": "1.0.0"}, {"fixed": "1.0.5"}, {"introduced": "1.1.0"}, first),
    ]
    known = [Advisory("X", ("CVE-1",), "low", "2026-01-01", "Ours", (), "https://x")]

    found = rewrite_advisories.table(rows, known)

    assert [(one.id, one.aliases, one.severity, one.summary, one.published) for one in found] == [
        ("PYSEC-3", (), "", "Theirs", "2026-06-29"),
        ("PYSEC-1", ("CVE-1", "GHSA-1"), "high", "Ours", "2026-06-16"),
    ]
    assert found[1].affected == (Affected("0", fixed="1.84.0"),)
    assert found[0].affected[0] == Affected("1.0.0", fixed="1.0.5")


def test_the_table_is_what_the_script_writes(tmp_path: Path) -> None:
    """Its own rows, as records in files: whoever has the database writes the same table again."""
    for one in advisory_table.ADVISORIES:
        events = [
            [
                {"introduced": part.introduced},
                {"fixed": part.fixed} if part.fixed else {"last_affected": part.last},
            ]
            for part in one.affected
        ]
        affected = [
            {"package": {"name": "litellm"}, "ranges": [{"type": "ECOSYSTEM", "events": e} for e in events]}
        ]
        text = {
            "id": one.id,
            "aliases": list(one.aliases),
            "published": f"{one.published}T00:00:00Z",
            "summary": one.summary,
            "database_specific": {"severity": one.severity.upper()},
            "affected": affected,
            "references": [{"type": "ADVISORY", "url": one.source}],
        }
        (tmp_path / f"{one.id}.json").write_text(json.dumps(text))

    found = rewrite_advisories.table(rewrite_advisories.read(tmp_path))

    assert found == advisory_table.ADVISORIES
    made: dict[str, Any] = {}
    exec(rewrite_advisories.written(found, advisory_table.SEEN, advisory_table.SOURCE), made)  # noqa: S102 - ours
    assert made["ADVISORIES"] == advisory_table.ADVISORIES


def test_the_first_release_without_is_none_of_those_that_others_hit() -> None:
    span = (Affected("0", fixed="2.0.0"),)
    rest = (Affected("2.0.0", fixed="2.0.1"), Affected("2.1.0", last="2.1.4"))
    made = Releases(
        "x",
        (
            Advisory("A", (), "high", "2026-01-01", "a", span, "https://a"),
            Advisory("B", (), "low", "2026-01-01", "b", rest, "https://b"),
        ),
    )

    assert made.free_after(Release((1, 0, 0))) == "2.0.1"
    assert made.free_after(Release((2, 1, 0))) is None


def test_the_makefile_names_both_scripts() -> None:
    text = (ROOT / "Makefile").read_text()
    assert "tests.stacks.rewrite_advisories" in text
    assert "tests.stacks.rewrite_support" in text
