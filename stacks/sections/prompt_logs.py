"""`observability.prompt_logs`: LiteLLM's record of each request, in its own bucket."""

from typing import Annotated

from stacks.checking import limits
from stacks.checking.fields import between
from stacks.sections import Section

PROMPTS, AUDIT = "prompts", "audit"
"""What the objects' names begin with: ``prompts/2026-11-28/``, ``audit/audit_logs/2026-11-28/``."""


class PromptLogs(Section):
    """A record of every request in a bucket of its own: prompt, answer, key, tokens, costs."""

    keep_days: Annotated[int, between(0, limits.MOST_ARCHIVE_DAYS, "days")]
    """How long S3 keeps the record of every request to LiteLLM: prompt, answer, key, tokens, costs. 0: none
    are written."""
    redact: bool
    """Leave prompts and answers out of these records and out of everything else that LiteLLM's callbacks
    send."""
    audit: bool
    """Also record who changed a key, a team or a user. LiteLLM does this only with a licence."""

    @property
    def recorded(self) -> bool:
        """Whether anything is recorded."""
        return self.keep_days > 0

    @property
    def whole(self) -> bool:
        """Whether prompts and answers are."""
        return self.recorded and not self.redact
