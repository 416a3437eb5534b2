"""
`make scan`: checkov and AWS's own rules on the templates of every environment, judged by `accepted.yaml`.

They check the same templates, rendered again into a folder of their own, offline. The scanners decide what is
a finding; `security.judge` decides what follows from it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from generator.bootstrap import render_bootstrap
from generator.manifest import Manifest
from generator.render import render
from security import cfn_guard, checkov
from security.judge import Acceptance, Verdict, judge, read_acceptances
from security.scanner import ROOT, Environment, Report, ScanError, Scanner
from stacks import bases
from stacks.environment import EnvironmentFileError, load

HERE = Path(__file__).parent
ACCEPTED = HERE / "accepted.yaml"


def main(scanners: Sequence[Scanner] | None = None) -> int:
    """Scan, say what was found; 0: nothing is unexplained, 1: something is, 2: the scan proves nothing."""
    try:
        acceptances = read_acceptances(ACCEPTED.read_text(encoding="utf-8"))
        with TemporaryDirectory(prefix="gatestack-scan-") as folder, ThreadPoolExecutor() as pool:
            environments = tuple(_rendered(Path(folder)))
            looks = [one.look for one in scanners or (checkov.scanner(), cfn_guard.scanner())]
            reports = list(pool.map(lambda look: look(Path(folder), environments), looks))
        findings = [finding for report in reports for finding in report.findings]
        verdict = judge(findings, acceptances, environments)
    except (OSError, EnvironmentFileError, ScanError, subprocess.SubprocessError) as error:
        sys.stderr.write(f"scan: {error}\n")
        return 2
    sys.stdout.writelines(f"{line}\n" for line in told(reports, acceptances, environments, verdict))
    return 1 if verdict.unexplained or verdict.stale else 0


def environment_files() -> list[Path]:
    """Return every shipped environment, and those that are there for the scan."""
    return [*bases.environment_files(ROOT / "environments"), *bases.environment_files(HERE / "environments")]


@cache
def manifests() -> tuple[tuple[Environment, Manifest], ...]:
    """Return every environment's stacks, and the account's own where a file has pipelines."""
    return tuple(_manifests())


def _manifests() -> Iterator[tuple[Environment, Manifest]]:
    for path in environment_files():
        settings = load(path)
        manifest = render(settings)
        yield Environment(path.stem, settings.system, settings.tier, _resources(manifest)), manifest
        if settings.pipelines.configured:
            account, name = render_bootstrap(settings), f"{path.stem}-account"
            yield Environment(name, account.system, settings.tier, _resources(account)), account


def _resources(manifest: Manifest) -> int:
    return sum(len(json.loads(spec.template)["Resources"]) for spec in manifest.stacks)


def _rendered(folder: Path) -> Iterator[Environment]:
    for environment, manifest in manifests():
        place = folder / environment.name
        place.mkdir()
        for spec in manifest.stacks:
            (place / f"{spec.name}.json").write_text(spec.template, encoding="utf-8")
        yield environment


def told(
    reports: Sequence[Report],
    acceptances: Sequence[Acceptance],
    environments: Sequence[Environment],
    verdict: Verdict,
) -> Iterator[str]:
    """Yield the lines of the answer."""
    resources = sum(one.resources for one in environments)
    yield (
        f"{len(environments)} environments, {resources} resources; "
        f"{len(acceptances)} reasons in security/accepted.yaml"
    )
    for report in reports:
        yield f"{report.scanner}: {report.passed} checks passed, {len(report.findings)} failed"
    for one in verdict.unexplained:
        yield f"  {one.check} {one.environment}: {one.place}: {one.meaning}"
    if verdict.unexplained:
        yield "mend what builds it (stacks/parts), or give the reason in security/accepted.yaml"
    yield from (
        f"  security/accepted.yaml, {word}: nothing is found there; take it out" for word in verdict.stale
    )


if __name__ == "__main__":
    sys.exit(main())
