"""Where the tests find what they look at, whatever folder they stand in."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
"""The repository."""
ENVIRONMENTS = ROOT / "environments"
GOLDEN = ROOT / "tests" / "golden"
"""The templates that the shipped environments have, as they were last read by somebody."""
