"""What cfn-lint finds in an environment's templates, each of which it sees once in a run of the tests."""

from functools import cache
from pathlib import Path

from generator import lint
from generator.kept_findings import Kept
from generator.lint import Finding
from generator.manifest import Manifest
from tests.command import lint_findings


def check(manifest: Manifest) -> tuple[Finding, ...]:
    """Return what `generator.lint.check` returns."""
    return lint.check(manifest, keep=_kept())


@cache
def _kept() -> Kept:
    return Kept(Path(lint_findings()) / "in-process", "this run of the tests")
