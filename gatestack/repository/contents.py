"""The initial files of a team's repository, by path, as text. It writes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gatestack.image.base_image import is_of_litellm
from gatestack.repository.shipped import FILES, IMAGE, PIPELINES
from gatestack.setup import draft
from stacks import schema
from stacks.systems import application

SCHEMA = f"environments/{draft.SCHEMA}"
PLACES: Mapping[str, str] = {
    "base.yaml": "environments/base.yaml",
    "dev.yaml": "environments/dev.yaml",
    "prod.yaml": "environments/prod.yaml",
    "local.yaml": "environments/local.yaml",
    "extras.yaml": "extensions/extras.yaml",
    "Makefile": "Makefile",
    "requirements.txt": "requirements.txt",
    "gitignore": ".gitignore",
    "README.md": "README.md",
}
"""File of the package -> its path in the repository."""
AGENTS: Mapping[str, str] = {"azure": "azure-devops", "github": "github-actions"}
"""Whose pipelines -> their folder in pipelines/."""
WORKFLOWS = ".github/workflows"
"""The only place where GitHub looks for workflows (GitHub docs, "Workflow syntax for GitHub Actions")."""
_SERVICE = re.compile(r"\nservice:\n.*\Z", re.DOTALL)


@dataclass(frozen=True)
class Repository:
    """The options of a new repository."""

    system: str
    region: str
    pipelines: str
    """A key of `AGENTS`, or ``none``."""
    version: str
    """Of gatestack, to be pinned."""

    def files(self) -> dict[str, str]:
        """Return path -> text of all files."""
        found = {place: self._filled(name) for name, place in PLACES.items()}
        found[SCHEMA] = schema.FILE.read_text(encoding="utf-8")
        found.update(self._image())
        found.update(self._pipelines())
        return dict(sorted(found.items()))

    def _filled(self, name: str) -> str:
        text = (FILES / name).read_text(encoding="utf-8")
        described = application(self.system)
        if name == "local.yaml" and described.public_image is None:
            return _SERVICE.sub("", text)
        words = {
            "SYSTEM": self.system,
            "REGION": self.region,
            "VERSION": self.version,
            "TITLE": described.title,
            "PUBLIC_IMAGE": str(described.public_image),
        }
        return re.sub(rf"\b({'|'.join(words)})\b", lambda found: words[found[1]], text)

    def _image(self) -> Iterator[tuple[str, str]]:
        """
        Yield the Dockerfile if it is this system's; other images are built in their source's repository.
        """
        if is_of_litellm(application(self.system).public_image):
            yield from ((f"image/{path.name}", path.read_text(encoding="utf-8")) for path in _within(IMAGE))

    def _pipelines(self) -> Iterator[tuple[str, str]]:
        if self.pipelines not in AGENTS:
            return
        own = PIPELINES / AGENTS[self.pipelines]
        for path in (*(one for one in sorted(PIPELINES.iterdir()) if one.is_file()), *_within(own)):
            workflow = self.pipelines == "github" and path.suffix == ".yml"
            place = f"{WORKFLOWS}/{path.name}" if workflow else f"pipelines/{path.relative_to(PIPELINES)}"
            yield place, path.read_text(encoding="utf-8")


def _within(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
