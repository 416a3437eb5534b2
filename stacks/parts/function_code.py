"""
The code of the rotation functions as one archive: their sources and the installed PostgreSQL driver.

The same sources and versions give the same bytes on every machine, so the S3 key follows from the content:
another archive has another key, and only that updates the functions. Reads installed files, imports none of
them, and makes no AWS calls.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

FILE = "rotation-functions.zip"
"""Name in the built folder."""

LIBRARIES = ("asn1crypto", "pg8000", "scramp")
"""The driver and what it needs; dateutil, which it needs too, is in Lambda's runtime beside botocore."""

SOURCES = Path(__file__).parent.parent / "functions"

OLDEST = (1980, 1, 1, 0, 0, 0)
"""The first date that an archive can hold; an installed file has the date of its installation."""

READABLE = 0o644 << 16
UNIX = 3
"""Lambda reads the files as a user of its own: AWS Lambda Developer Guide, ".zip file archives"."""


@cache
def archive() -> bytes:
    """
    Return the archive that both functions run from.

    Raises:
        FileNotFoundError: a library is not installed, or not by an installer that lists its files.

    """
    return packed(dict(_contents()))


@cache
def key() -> str:
    """Return the object key, named after the content. Raises as `archive` does."""
    return f"functions/rotation-{sha256(archive()).hexdigest()[:16]}.zip"


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return *files* as an archive whose bytes depend on nothing else: sorted, undated, not compressed."""
    target = BytesIO()
    with ZipFile(target, "w", ZIP_STORED) as made:
        for name, content in sorted(files.items()):
            entry = ZipInfo(name, OLDEST)
            entry.create_system, entry.external_attr = UNIX, READABLE
            made.writestr(entry, content)
    return target.getvalue()


def _contents() -> Iterator[tuple[str, bytes]]:
    """Yield what a function imports; the package `stacks` is empty there: its own code needs troposphere."""
    yield "stacks/__init__.py", b""
    for path in SOURCES.glob("*.py"):
        yield f"stacks/functions/{path.name}", path.read_bytes()
    for library in LIBRARIES:
        yield from _library(library)


def _library(name: str) -> Iterator[tuple[str, bytes]]:
    """
    Yield the modules of *name*, and METADATA: pg8000 and scramp ask for their own version.

    RECORD lists them (packaging.python.org, "Recording installed projects"). Python's own reader of it,
    importlib.metadata, takes longer to load than all of them to read.
    """
    found = (record for folder in sys.path for record in Path(folder).glob(f"{name}-*.dist-info/RECORD"))
    record = next(found, None)
    if record is None:
        raise FileNotFoundError(
            f"{name}: not installed as pip does it: `pip install --force-reinstall gatestack`"
        )
    for line in record.read_text(encoding="utf-8").splitlines():
        file = line.partition(",")[0]
        if file.endswith(".py") or file == f"{record.parent.name}/METADATA":
            yield file, (record.parent.parent / file).read_bytes()
