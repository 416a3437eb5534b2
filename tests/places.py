"""Where the tests find what they look at, whatever folder they stand in."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
"""The repository."""
ENVIRONMENTS = ROOT / "environments"
GOLDEN = ROOT / "tests" / "golden"
"""The reviewed templates of the shipped environments."""


def is_test_file(name: str) -> bool:
    """Whether a name like ``test_alb.py`` in a page is an existing file, in any folder."""
    return any((ROOT / "tests").rglob(name))
