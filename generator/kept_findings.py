"""
A cache of findings between runs: the key holds everything they depend on.

A cached entry must never hide a finding. So the key covers the template, the region, gatestack's own rules
about findings, every installed package, Python, and the date (some rules use it). Entries are in the user's
cache folder, which nobody else can write to, and not in the checkout, where a change under review could bring
its own. An unreadable entry counts as missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

FORMAT = 1
OLD_SECONDS = 2 * 24 * 3600.0
"""Age in seconds after which an entry is removed: it is only valid on its day."""
CONFIGURATION = (".cfnlintrc", ".cfnlintrc.yaml", ".cfnlintrc.yml")
"""cfn-lint's own files, in the current folder and at home (its README, "Config File"); they name others."""


class Kept:
    """The findings in one folder; *basis* is what all of them depend on."""

    def __init__(self, folder: Path, basis: str) -> None:
        self._folder = folder
        self.basis = basis

    def get(self, *about: str) -> Any | None:
        """Return the cached findings of an item; None: there are none, or they cannot be trusted."""
        name = self._name(about)
        try:
            with (self._folder / name).open(encoding="utf-8") as file:
                if _is_foreign(os.fstat(file.fileno())) or _is_foreign(self._folder.stat()):
                    return None
                entry = json.load(file)
            whole = entry["name"] == name and entry["sum"] == _digest(json.dumps(entry["found"]))
            return entry["found"] if whole else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def has(self, *about: str) -> bool:
        """Whether findings, even empty ones, are cached for an item."""
        return (self._folder / self._name(about)).is_file()

    def put(self, found: Any, *about: str) -> None:
        """Cache *found*, a JSON value, and remove old entries; does nothing without write permission."""
        name = self._name(about)
        entry = {"name": name, "sum": _digest(json.dumps(found)), "found": found}
        unfinished = self._folder / f"{name}.{os.getpid()}"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished.touch(mode=0o600)
            unfinished.write_text(json.dumps(entry), encoding="utf-8")
            unfinished.replace(self._folder / name)
            self._remove_old()
        except OSError:
            return

    def _name(self, about: tuple[str, ...]) -> str:
        return _digest(json.dumps([self.basis, *about]))

    def _remove_old(self) -> None:
        for path in self._folder.iterdir():
            if path.stat().st_mtime < time.time() - OLD_SECONDS:
                path.unlink(missing_ok=True)


def kept(*rules: Path) -> Kept | None:
    """
    Return the findings kept for this user; *rules* are our own files that findings depend on.

    None: nothing may be kept, because files of the user's configure cfn-lint, or there is no home.
    """
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home raises where there is none
    if not home.is_absolute() or any(
        (place / name).exists() for place in (home, Path()) for name in CONFIGURATION
    ):
        return None
    caches = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    basis = [str(FORMAT), date.today().isoformat(), sys.version, *_installed(), *_schemas(caches, home)]
    basis += [_digest(path.read_text(encoding="utf-8")) for path in rules]
    return Kept(caches / "gatestack" / "lint", json.dumps(basis))


def _installed() -> list[str]:
    """
    Return the names and versions of all packages: cfn-lint's findings depend on others too.

    Without gatestack, whose rules are listed: its checkouts would differ by folder.
    """
    found = set()
    for place in sys.path:
        try:
            names = os.listdir(place or ".")  # noqa: PTH208 - as quick as it gets
        except OSError:
            continue
        found |= {name for name in names if name.endswith((".dist-info", ".egg-info"))}
    return sorted(name for name in found if re.split("[-.]", name)[0] != "gatestack")


def _schemas(caches: Path, home: Path) -> list[str]:
    """Return a fingerprint of cfn-lint's schemas, its own and those that `--update-specs` downloads."""
    spec = find_spec("cfnlint")
    places = [Path(spec.origin).parent / "data" / "schemas"] if spec and spec.origin else []
    places += [base / "aws" / "cfn-lint" / "schemas" for base in (caches, home / "Library" / "Caches")]
    return [_described(path) for path in places]


def _described(schemas: Path) -> str:
    try:
        version = (schemas / "version.json").read_text(encoding="utf-8")
        changed = [(schemas / name).stat().st_mtime_ns for name in ("providers", "resources")]
    except (OSError, ValueError):
        return "none"
    return f"{version} {changed}"


def _is_foreign(found: os.stat_result) -> bool:
    """Whether another user may have written it."""
    return found.st_uid != os.getuid() or bool(found.st_mode & 0o022)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
