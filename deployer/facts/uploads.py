"""
Uploaded files before and after: a changed configuration is shown as a diff, not as a new object key. Pure.

Files should contain no secrets, but lines that set one are masked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff

from deployer.scrub import HIDDEN, scrubbed
from generator.manifest import StackSpec, Upload
from stacks.checking.secret_texts import is_secret, sets_a_secret

_SETS = re.compile(r"^(?P<head>[\s-]*[\"']?(?P<key>[\w.-]+)[\"']?\s*:\s+)(?P<value>\S.*)$")
"""A line of YAML that gives *key* a value of its own (YAML 1.2, block mappings)."""
_REFERENCES = ("os.environ/", "{{resolve:", "arn:")
"""Values that refer to a secret stored elsewhere."""


@dataclass(frozen=True)
class FileChange:
    """A file of the built folder that is replaced by another one."""

    stack: str
    file: str
    diff: tuple[str, ...] = ()
    """Lines of a unified diff with its head; empty where it cannot be made."""
    problem: str = ""
    """Why there is no diff; empty where there is one."""


def replaced_keys(spec: StackSpec, live_template: str) -> Mapping[Upload, str]:
    """Return the uploads of *spec* whose content differs from what was deployed, each with its old key."""
    before = _keys(live_template)
    found = ((one, before.get((one.file, one.bucket_export), "")) for one in spec.uploads)
    return {one: key for one, key in found if key and key != one.key}


def _keys(template: str) -> Mapping[tuple[str, str], str]:
    """Return the object keys that a deployed template notes, by file and by the export of the bucket."""
    try:
        noted = json.loads(template)["Metadata"]["gatestack"]["uploads"]
        return {(one["file"], one["bucket_export"]): one["key"] for one in noted}
    except (ValueError, LookupError, TypeError):
        return {}


def file_change(stack: str, file: str, before: bytes, after: bytes) -> FileChange:
    """Return how the text *file* changes; a binary file is only reported as different."""
    try:
        old, new = (_masked(side.decode()) for side in (before, after))
    except UnicodeDecodeError:
        return FileChange(stack, file, problem="it is not a text: no diff")
    lines = unified_diff(old, new, f"{file} (deployed)", f"{file} (planned)", n=3, lineterm="")
    return FileChange(stack, file, tuple(lines))


def _masked(text: str) -> list[str]:
    return [_shown(line) for line in text.splitlines()]


def _shown(line: str) -> str:
    found = _SETS.match(line)
    elsewhere = found and found["value"].strip("\"'").startswith(_REFERENCES)
    if found and not elsewhere and (sets_a_secret(found["key"]) or is_secret(found["value"])):
        return f"{found['head']}{HIDDEN}"
    return HIDDEN if is_secret(line) else scrubbed(line)
