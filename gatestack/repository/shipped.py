"""The project's files that gatestack installs along, for use in other repositories."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent
IMAGE = _HERE / "shipped" / "image"
"""LiteLLM's Dockerfile: the project's image/, which the package holds by a link."""
PIPELINES = _HERE / "shipped" / "pipelines"
"""The project's pipelines/, by a link as well."""
DOCS = _HERE / "shipped" / "docs"
"""The project's docs/, by a link as well: what `gatestack docs` prints."""
FILES = _HERE / "files"
"""The initial files of a team's repository; words in capitals are replaced."""
