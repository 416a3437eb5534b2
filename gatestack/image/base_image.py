"""The base image: LiteLLM's release as pinned in the Dockerfile, and who signed it. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from stacks.checking import limits

FOLDER = Path("image")
"""The folder of LiteLLM's Dockerfile, in a repository that has one."""
_ARGUMENT = re.compile(r"^ARG[ \t]+(\w+)=[\"']?([^\s\"']*)[\"']?[ \t]*$", re.MULTILINE | re.IGNORECASE)
_FROM = re.compile(r"^FROM[ \t]+(?:--\S+[ \t]+)*(\S+)", re.MULTILINE | re.IGNORECASE)
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))")
_PIN = re.compile(r"^(ARG[ \t]+LITELLM_DIGEST=)\S*", re.MULTILINE | re.IGNORECASE)
_REFERENCE = re.compile(r"(?P<name>[^@]+?)(?::(?P<release>[^:/@]*))?(?:@(?P<digest>.*))?")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LITELLM = re.compile(limits.LITELLM_IMAGES, re.IGNORECASE)

KEY = "https://raw.githubusercontent.com/BerriAI/litellm/{commit}/cosign.pub"
"""The key of a release; a commit never moves (LiteLLM docs, "Docker Image Security Guide")."""


@dataclass(frozen=True)
class Base:
    """A release of LiteLLM, as a Dockerfile names it."""

    name: str
    """``ghcr.io/berriai/litellm-database``."""
    release: str
    """Its tag, or nothing."""
    digest: str
    """``sha256:...``, or nothing: it is not pinned."""
    key_commit: str
    """The commit of LiteLLM's repository whose key signed it, or nothing."""
    has_place: bool = True
    """Whether the tag has a digest, or a place for one."""

    @property
    def tagged(self) -> str:
        """Return the release by its tag, which only a verification may resolve."""
        return f"{self.name}:{self.release}"

    @property
    def key(self) -> str:
        """Return the URL of the key that verifies its signature."""
        return KEY.format(commit=self.key_commit)

    @property
    def missing(self) -> str:
        """Return what a Dockerfile has to name before the signature can be verified."""
        if not self.release:
            return "a release: its tag, such as v1.108.7"
        if not re.fullmatch(r"[0-9a-f]{40}", self.key_commit):
            return "ARG LITELLM_KEY_COMMIT: the commit of cosign.pub in the release's notes, 40 characters"
        return ""

    @property
    def unpinned(self) -> bool:
        """Return whether its Dockerfile has an empty place for the digest: the verification names it."""
        return self.digest == "" and self.has_place

    @property
    def pinned(self) -> bool:
        """Return whether it always is the same image."""
        return _DIGEST.fullmatch(self.digest) is not None


def is_of_litellm(image: str | None) -> bool:
    """Whether *image* is one that LiteLLM publishes, so that LiteLLM's Dockerfile can replace it."""
    return image is not None and _LITELLM.match(image) is not None


def bases(dockerfile: str) -> tuple[Base, ...]:
    """
    Return the releases of LiteLLM that *dockerfile* builds on, each once; none: it is another application's.

    Arguments in a line ``FROM`` are replaced by their defaults.
    """
    arguments = dict(_ARGUMENT.findall(dockerfile))

    def value(found: re.Match[str]) -> str:
        return arguments.get(found[1] or found[3]) or found[2] or ""

    named = dict.fromkeys(_VARIABLE.sub(value, one) for one in _FROM.findall(dockerfile))
    commit = arguments.get("LITELLM_KEY_COMMIT", "")
    return tuple(_base(one, commit) for one in named if _LITELLM.match(one))


def _base(reference: str, commit: str) -> Base:
    found = _REFERENCE.fullmatch(reference)
    assert found  # noqa: S101 - it begins with a registry's name
    has_place = found["digest"] is not None
    return Base(found["name"], found["release"] or "", found["digest"] or "", commit, has_place)


def with_digest(dockerfile: str, digest: str) -> str | None:
    """Return *dockerfile* with *digest* as its pin; None where it has no ``ARG LITELLM_DIGEST`` for it."""
    text, found = _PIN.subn(rf"\g<1>{digest}", dockerfile)
    return text if found else None


def verified_digest(answer: str) -> str | None:
    """
    Return the digest that `cosign verify` says it has verified; None if its output cannot be read.

    The output is a list of what was signed (Sigstore docs, "Verifying Signatures": simple signing).
    """
    try:
        found = {one["critical"]["image"]["docker-manifest-digest"] for one in json.loads(answer)}
    except (ValueError, KeyError, TypeError):
        return None
    digests = {digest for digest in found if _DIGEST.fullmatch(str(digest))}
    return digests.pop() if len(digests) == 1 and len(found) == 1 else None
