"""Conditions that firewall rules share: the address and the content of a request."""

from __future__ import annotations

from collections.abc import Sequence

from troposphere import GetAtt
from troposphere.wafv2 import (
    AndStatement,
    FieldToMatch,
    IPSet,
    IPSetForwardedIPConfiguration,
    IPSetReferenceStatement,
    NotStatement,
    OrStatement,
    RegexMatchStatement,
    SingleHeader,
    SizeConstraintStatement,
    Statement,
    TextTransformation,
)

from stacks.wiring import Stack

LONGEST_PATTERN = 512
"""Characters of a regular expression in a rule (AWS WAF API Reference, "RegexMatchStatement", 2026-11)."""


def addresses(stack: Stack, title: str, name: str, ranges: Sequence[str]) -> IPSet:
    """Add a set of addresses; its name cannot change, the ranges can."""
    found = IPSet(
        title,
        Name=f"{stack.prefix}-{name}",
        Scope="REGIONAL",
        IPAddressVersion="IPV4",
        Addresses=list(ranges),
    )
    return stack.add(found, name=name)


def comes_from(found: IPSet, forwarded_by: str | None = None) -> Statement:
    """Whether a request's address is in a set: the connection's, or the first in a header."""
    how = {}
    if forwarded_by:
        how["IPSetForwardedIPConfig"] = IPSetForwardedIPConfiguration(
            HeaderName=forwarded_by, FallbackBehavior="NO_MATCH", Position="FIRST"
        )
    return Statement(IPSetReferenceStatement=IPSetReferenceStatement(Arn=GetAtt(found, "Arn"), **how))


def has_header(name: str) -> Statement:
    """Whether a request has the header, also if it is empty: a statement on a missing part never matches."""
    size = SizeConstraintStatement(
        FieldToMatch=FieldToMatch(SingleHeader=SingleHeader(Name=name)),
        ComparisonOperator="GE",
        Size=0,
        TextTransformations=transformed("NONE"),
    )
    return Statement(SizeConstraintStatement=size)


def path_is(pattern: str, *how: str) -> Statement:
    """
    Whether a request's path matches, as the application will read it, or after *how* it is transformed.

    A path with %75 for a u is the same one to the application and another one to a listener's rule, which
    compares it as it was sent.
    """
    match = RegexMatchStatement(
        FieldToMatch=FieldToMatch(UriPath={}),
        RegexString=pattern,
        TextTransformations=transformed(*(how or ("URL_DECODE", "NORMALIZE_PATH"))),
    )
    return Statement(RegexMatchStatement=match)


def transformed(*kinds: str) -> list[TextTransformation]:
    """Return what is done to a part of a request before it is compared, in this order."""
    return [TextTransformation(Priority=number, Type=kind) for number, kind in enumerate(kinds)]


def none_of(statement: Statement) -> Statement:
    """Whether *statement* does not hold."""
    return Statement(NotStatement=NotStatement(Statement=statement))


def all_of(statements: Sequence[Statement]) -> Statement:
    """Whether each of *statements* holds; AWS WAF wants two at least."""
    return (
        statements[0] if len(statements) == 1 else Statement(AndStatement=AndStatement(Statements=statements))
    )


def any_of(statements: Sequence[Statement]) -> Statement:
    """Whether one of *statements* holds; AWS WAF wants two at least."""
    return (
        statements[0] if len(statements) == 1 else Statement(OrStatement=OrStatement(Statements=statements))
    )


def patterns(paths: Sequence[str]) -> list[str]:
    """
    Return regular expressions for *paths* and everything below them, as few as AWS WAF's length allows.

    ``/key`` stands for ``/key`` and ``/key/generate``, and not for ``/keys``.
    """
    packed: list[str] = []
    alternatives = ""
    for path in paths:
        one = path.strip("/").replace(".", r"\.")
        longer = f"{alternatives}|{one}" if alternatives else one
        if len(_pattern(longer)) > LONGEST_PATTERN:
            packed.append(_pattern(alternatives))
            longer = one
        alternatives = longer
    return [*packed, _pattern(alternatives)] if alternatives else packed


def _pattern(alternatives: str) -> str:
    return f"^/({alternatives})(/.*)?$"
