"""What an image is built on: LiteLLM's release as `image/Dockerfile` pins it, and who signed it. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_PIN = re.compile(r"^ARG (LITELLM_\w+)=(\S*)[ \t]*$", re.MULTILINE)
_FROM = re.compile(r"^FROM ([^\s:@$]+)", re.MULTILINE)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

KEY = "https://raw.githubusercontent.com/BerriAI/litellm/{commit}/cosign.pub"
"""The key of a release; a commit never moves (LiteLLM docs, "Docker Image Security Guide")."""


@dataclass(frozen=True)
class Base:
    """A release of LiteLLM."""

    name: str
    """``ghcr.io/berriai/litellm-database``."""
    release: str
    digest: str
    """``sha256:...``, or nothing: the release's tag is trusted, or its signature."""
    key_commit: str

    @property
    def reference(self) -> str:
        """Return what docker and cosign call it."""
        return f"{self.name}:{self.release}{f'@{self.digest}' if self.digest else ''}"

    @property
    def key(self) -> str:
        """Return where the key is that its signature is verified with."""
        return KEY.format(commit=self.key_commit)


def base(dockerfile: str) -> Base | None:
    """Return the release that *dockerfile* pins; None: it is built on something else."""
    pins, name = dict(_PIN.findall(dockerfile)), _FROM.search(dockerfile)
    if name is None or not pins.get("LITELLM_RELEASE") or not pins.get("LITELLM_KEY_COMMIT"):
        return None
    digest = pins.get("LITELLM_DIGEST", "")
    return Base(name[1], pins["LITELLM_RELEASE"], digest, pins["LITELLM_KEY_COMMIT"])


def verified_digest(answer: str) -> str | None:
    """
    Return the digest that `cosign verify` says it has verified; None where its answer cannot be read.

    Its answer is a list of what was signed (Sigstore docs, "Verifying Signatures": simple signing).
    """
    try:
        found = {one["critical"]["image"]["docker-manifest-digest"] for one in json.loads(answer)}
    except (ValueError, KeyError, TypeError):
        return None
    digests = {digest for digest in found if _DIGEST.fullmatch(str(digest))}
    return digests.pop() if len(digests) == 1 else None
