"""
Explains AWS's access-denied messages: which kind of policy denied, and what helps. Pure.

A grant helps in one case only: no identity-based policy allows the action. The texts are those of the IAM
User Guide, "Troubleshoot access denied error messages"; some services name no policy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_AGAIN = "then run the same command again"


@dataclass(frozen=True)
class Denial:
    """One kind of policy that denies, whatever the role itself is allowed."""

    policy: str
    """As AWS words it; a regular expression, case does not count."""
    remedy: str
    """What to do, as half a sentence."""
    example: str
    """The end of AWS's message."""

    @property
    def pattern(self) -> str:
        """What a message of this kind has in it: an explicit deny, or no allow in a policy that limits."""
        name = self.policy
        return rf"explicit deny in an? {name}|no {name} allows"


SOURCE = "IAM User Guide, Troubleshoot access denied error messages"
EXPLICIT = r"explicit(ly)? den(y|ied)"
DENIALS: tuple[Denial, ...] = (
    Denial(
        r"service control polic(?:y|ies)(?: \(SCPs?\))?",
        "no grant helps: a service control policy of the organization denies it; have whoever runs AWS "
        f"Organizations change that policy, or use an account or a region that it lets do this, {_AGAIN}",
        "with an explicit deny in a service control policy",
    ),
    Denial(
        r"resource control polic(?:y|ies)(?: \(RCPs?\))?",
        "no grant helps: a resource control policy of the organization denies it; have whoever runs AWS "
        f"Organizations change that policy, {_AGAIN}",
        "with an explicit deny in a resource control policy",
    ),
    Denial(
        r"permissions? boundary",
        "no grant helps: a permissions boundary limits the role; have whoever set that boundary let the "
        f"action through, {_AGAIN}",
        "with an explicit deny in a permissions boundary",
    ),
    Denial(
        r"session policy",
        "no grant helps: the policy that this session was started with denies it; log in without that policy "
        f"(see who assumes the role, and with what), {_AGAIN}",
        "with an explicit deny in a session policy",
    ),
    Denial(
        r"VPC endpoint policy",
        "no grant helps: the policy of the VPC endpoint that the request went through denies it; have the "
        f"endpoint's policy changed, or deploy from elsewhere, {_AGAIN}",
        "with an explicit deny in a VPC endpoint policy",
    ),
    Denial(
        r"resource-based policy",
        "no grant helps: the policy of the resource itself (bucket, key, secret) denies it; have its owner "
        f"change that policy, {_AGAIN}",
        "with an explicit deny in a resource-based policy",
    ),
)
"""Policies that limit what a grant can give."""

IDENTITY = Denial(
    r"identity-based policy",
    "no grant helps: a Deny statement in one of the role's own policies denies it; take the action out of "
    f"that statement, {_AGAIN}",
    "with an explicit deny in an identity-based policy",
)
"""Its deny cannot be outweighed; that it does not allow is what a grant is for."""

UNNAMED = Denial(
    EXPLICIT,
    "no grant helps: a Deny statement denies it, and AWS does not say in which policy; look through the "
    "role's policies and boundary, the organization's policies, and the policy of the resource",
    "with an explicit deny",
)


def limits(message: str) -> str:
    """Return what to do about a denial that no grant helps against; empty where *message* tells of none."""
    explicit = re.search(EXPLICIT, message, re.IGNORECASE) is not None
    for one in DENIALS:
        if re.search(one.pattern, message, re.IGNORECASE):
            return one.remedy
    if not explicit:
        return ""
    named = re.search(rf"explicit deny in an? {IDENTITY.policy}", message, re.IGNORECASE)
    return (IDENTITY if named else UNNAMED).remedy
