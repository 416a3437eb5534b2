"""
`make scan`: checkov over the templates of every environment, judged by `accepted.yaml`.

One process of checkov looks at all templates, rendered afresh into a folder of its own, offline. Nothing here
decides what is a finding: that is checkov's, and what is done about one is `security.judge`'s.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from generator.bootstrap import render_bootstrap
from generator.manifest import Manifest
from generator.render import render
from security.judge import (
    Acceptance,
    Environment,
    Report,
    ScanError,
    Verdict,
    judge,
    read_acceptances,
    read_report,
)
from stacks import bases
from stacks.environment import EnvironmentFileError, load

HERE = Path(__file__).parent
ROOT = HERE.parent
ACCEPTED = HERE / "accepted.yaml"
CHECKOV = ROOT / ".venv-checkov" / "bin" / "checkov"
HOW = (
    "--framework",
    "cloudformation",
    "--output",
    "json",
    "--compact",
    "--quiet",
    "--skip-download",
    "--soft-fail",
)
"""Without downloads it speaks to nobody; it ends with 0 whatever it finds, since that is judged here."""

PATIENCE_SECONDS = 600


def main(checkov: Path = CHECKOV) -> int:
    """Scan, say what was found; 0: nothing is unexplained, 1: something is, 2: the scan proves nothing."""
    try:
        acceptances = read_acceptances(ACCEPTED.read_text(encoding="utf-8"))
        with TemporaryDirectory(prefix="gatestack-scan-") as folder:
            environments = tuple(_rendered(Path(folder)))
            report = _checked(checkov, Path(folder), sum(one.resources for one in environments))
        verdict = judge(report.findings, acceptances, environments)
    except (OSError, EnvironmentFileError, ScanError, subprocess.SubprocessError) as error:
        sys.stderr.write(f"scan: {error}\n")
        return 2
    sys.stdout.writelines(f"{line}\n" for line in told(report, acceptances, environments, verdict))
    return 1 if verdict.unexplained or verdict.stale else 0


def environment_files() -> list[Path]:
    """Return every shipped environment, and those that are there for the scan."""
    return [*bases.environment_files(ROOT / "environments"), *bases.environment_files(HERE / "environments")]


def manifests() -> Iterator[tuple[Environment, Manifest]]:
    """Yield every environment's stacks, and the account's own where a file has pipelines."""
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


def _checked(checkov: Path, folder: Path, resources: int) -> Report:
    """Raises ScanError: checkov did not look at all the *resources* in *folder*."""
    if not checkov.exists():
        raise ScanError(f"{checkov} is not there: `make scan` installs it")
    command = [str(checkov), "--directory", str(folder), *HOW]
    done = subprocess.run(  # noqa: S603 - our own program on our own files
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=PATIENCE_SECONDS,
    )
    try:
        answer: Any = json.loads(done.stdout)
    except json.JSONDecodeError as error:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise ScanError(f"checkov ended with {done.returncode} and no report: {said}") from error
    return read_report(answer, resources)


def told(
    report: Report,
    acceptances: Sequence[Acceptance],
    environments: Sequence[Environment],
    verdict: Verdict,
) -> Iterator[str]:
    """Yield the lines of the answer."""
    yield (
        f"checkov {report.version}: {len(environments)} environments, {report.resources} resources, "
        f"{report.passed} checks passed, {len(report.findings)} failed; "
        f"{len(acceptances)} reasons in security/accepted.yaml"
    )
    for one in verdict.unexplained:
        yield f"  {one.check} {one.environment}: {one.place}: {one.meaning}"
    if verdict.unexplained:
        yield "mend what builds it (stacks/parts), or give the reason in security/accepted.yaml"
    yield from (
        f"  security/accepted.yaml, {word}: nothing is found there; take it out" for word in verdict.stale
    )


if __name__ == "__main__":
    sys.exit(main())
