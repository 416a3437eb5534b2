"""
Detects texts that look like a secret, by name or by pattern. The only such check. Pure; repeats no value.

Texts in an environment file are in clear text in templates, in S3 and in the history of the repository.
"""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = (
    r"(?i)(^|[-_./])((api)?keys?|passwd|password|passphrase|secrets?|token|jwt|credentials?|licen[cs]e|webhook"
    r"|webhook_url|connection_string|database_url)$"
)
"""Of variables and parameters. A product's licence key is one: ``LITELLM_LICENSE``."""
_PLAIN: Final = r"(?i)(^|[-_./])(object|public|partition|sort|primary|foreign|routing|idempotency)[-_]keys?$"
"""Keys that open nothing: the place of an object in a bucket, half of a pair, a column."""
_SETTING: Final = (
    r"(?i)(^|_)(api_key|master_key|salt_key|secret_key|access_key|private_key|license_key|password|passwd|secret"
    r"|(auth|access|bearer|session|refresh|id)_token|token|database_url|redis_url|connection_string|webhook_url"
    r"|licen[cs]e)$"
)
"""Of keys in LiteLLM's file (LiteLLM docs, All settings); other keys of it end with ``_key``, too."""

MAKERS: Final = (
    r"sk-(?=[\w-]*\d)[\w-]{8,}",  # OpenAI, Anthropic, LiteLLM, Langfuse
    r"sk-\d{4,}",
    r"pk-lf-[\w-]{8,}",
    r"(AKIA|ASIA)[0-9A-Z]{16}(?!\w)",
    r"gh[opsru]_[A-Za-z0-9]{20,}",
    r"github_pat_\w{20,}",
    r"glpat-[\w-]{16,}",
    r"xox[abeprs]-[\w-]{8,}",
    r"xapp-[\w-]{16,}",
    r"AIza[\w-]{30,}",
    r"(hf|npm|gsk|r8)_[A-Za-z0-9]{20,}",
    r"(xai|nvapi|pplx|tvly)-[\w-]{20,}",
    r"[rs]k_live_\w{10,}",
    r"SG\.[\w-]{16,}\.[\w-]{16,}",
    r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}",  # a JSON web token
)
"""What each maker's keys begin with (their documents; GitHub Docs, "Supported secret scanning patterns")."""
_TEXTS: Final = (
    r"-----BEGIN [A-Z ]*PRIVATE KEY",
    r"LS0tLS1CRUdJTi(BQUklWQVRF|BSU0EgUFJJVkFURS|BFQyBQUklWQVRF|BPUEVOU1NI|BFTkNSWVBURUQg)",  # it in base64
    r"://[^/?#\s:@]*:[^/?#\s@]+@",
    r"hooks\.slack(-gov)?\.com/(services|workflows|triggers)/",
    r"discord(app)?\.com/api/(v\d+/)?webhooks/",
    r"\.webhook\.office\.com/|outlook\.office(365)?\.com/webhook",
    r"[?&](sig|signature|X-Amz-Signature|key|api[_-]?key|access_token|auth|token|password|secret)=[^&\s]{8,}",
    r"\b(AccountKey|SharedAccessKey|password|passwd|pwd)\s*=\s*[^;\s]{6,}",
    r"\b(Bearer|Basic)\s+(?=\S*\d)[A-Za-z0-9+/=._-]{16,}",
)
"""Private keys, addresses with a password or a key in them, webhooks, connection strings, headers."""
_VALUE: Final = rf"(?<![\w-])({'|'.join(MAKERS)})|(?i:{'|'.join(_TEXTS)})"


def names_a_secret(name: str) -> bool:
    """Whether a variable or a parameter called *name* holds a secret."""
    return re.search(_NAME, name) is not None and re.search(_PLAIN, name) is None


def sets_a_secret(key: str) -> bool:
    """Whether the text of *key* in LiteLLM's file is a secret."""
    return re.search(_SETTING, key) is not None


def is_secret(text: str) -> bool:
    """Whether *text* looks like a secret, whatever it is called."""
    return re.search(_VALUE, text) is not None
