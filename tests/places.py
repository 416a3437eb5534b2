"""Where the tests find what they look at, whatever folder they stand in."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
"""The repository."""
ENVIRONMENTS = ROOT / "environments"
GOLDEN = ROOT / "tests" / "golden"
"""The templates that the shipped environments have, as they were last read by somebody."""


def is_test_file(name: str) -> bool:
    """Whether a page that says ``test_alb.py`` names a file that is there, in whatever folder."""
    return any((ROOT / "tests").rglob(name))
