"""What cfn-lint finds in an environment's templates, each of which it sees once in a run of the tests."""

from functools import cache

import pytest

from generator import lint
from generator.kept_findings import Kept
from generator.lint import Finding
from generator.manifest import Manifest
from tests.command import lint_findings


def check(manifest: Manifest) -> tuple[Finding, ...]:
    """Return the result of `generator.lint.check`, with findings cached by the tests' commands."""
    return lint.check(manifest, keep=_kept())


@cache
def _kept() -> Kept | None:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, lint_findings())
        return lint.kept_for_user()
