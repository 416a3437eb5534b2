"""What `setup` asks: each question as data, and how an answer in words becomes values of the file. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gatestack.draft import Answers, objection

PUBLIC_IMAGE = "ghcr.io/berriai/litellm-database"
"""Where LiteLLM's own releases are (LiteLLM docs, "Docker image security")."""
ACCESS: Mapping[str, Mapping[str, Any]] = {
    "domain": {},
    "certificate": {},
    "http": {},
    "internal": {"alb.internal": True},
}
"""How clients reach the gateway -> what follows from that alone."""


@dataclass(frozen=True)
class Question:
    """One thing that a new environment needs to know."""

    name: str
    """Of its option: ``nat-gateways``."""
    key: str
    """Of the environment file; for ``access`` the section that is to blame."""
    words: str
    default: Callable[[Answers], str | None] = lambda _: None
    """The answer in brackets; None: there is none, an empty one: nothing stands in the file."""
    asked: Callable[[Answers], bool] = lambda _: True
    values: Callable[[str], Any] = lambda text: text
    """The answer as the file has it."""
    meanwhile: Mapping[str, Any] = field(default_factory=dict)
    """Answers that later questions will give, for rules that want both."""

    @property
    def option(self) -> str:
        """Return its option: ``--nat-gateways``."""
        return f"--{self.name}"

    def answered(self, answers: Answers, text: str) -> Answers:
        """Return *answers* with the answer *text*; raises ValueError with the reason where it cannot be."""
        text = text.strip()
        if self.name == "access":
            return _access(answers, text)
        if not text and self.default(answers) == "":
            return answers
        result = {**answers, self.key: self.values(text)}
        reason = objection({**self.meanwhile, **result}, self.key)
        if reason:
            raise ValueError(reason)
        return result


def _access(answers: Answers, text: str) -> Answers:
    if text not in ACCESS:
        raise ValueError(f"{text!r} is unknown; write {', '.join(ACCESS)}")
    result = {**answers, "access": text, **ACCESS[text]}
    reason = objection(filed(result), "alb") if text in {"http", "internal"} else None
    if reason:
        raise ValueError(reason)
    return result


def filed(answers: Answers) -> Answers:
    """Return what of *answers* stands in the file."""
    return {key: value for key, value in answers.items() if key != "access"}


def implied_access(said: Mapping[str, str | None]) -> str | None:
    """Return how clients reach it where other options say so; *said*: question -> its option's value."""
    by = {"domain-name": "domain", "hosted-zone-id": "domain", "certificate-arn": "certificate"}
    return next((way for name, way in by.items() if said.get(name) is not None), None)


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _image(text: str) -> str:
    return PUBLIC_IMAGE if text == "public" else text


def _reached_by(way: str) -> Callable[[Answers], bool]:
    return lambda answers: answers.get("access") == way


def _always(text: str) -> Callable[[Answers], str]:
    return lambda _: text


QUESTIONS = (
    Question("environment", "environment", "Name of the environment (dev, staging, prod)"),
    Question("tier", "tier", "Tier: dev (cheap) or production (protected, redundant)", _always("dev")),
    Question("region", "region", "AWS region", _always("us-east-1")),
    Question("account", "account", "AWS account, twelve digits; empty: any", _always("")),
    Question(
        "access",
        "alb",
        "How clients reach it: domain (HTTPS, a domain in Route 53), certificate (HTTPS, a certificate of "
        "yours), http (not encrypted), internal (from the VPC only)",
        lambda answers: "domain" if answers.get("tier") == "production" else "http",
    ),
    Question(
        "domain-name",
        "alb.domain_name",
        "Domain name (llm.example.com)",
        asked=_reached_by("domain"),
        meanwhile={"alb.hosted_zone_id": "Z0"},
    ),
    Question(
        "hosted-zone-id",
        "alb.hosted_zone_id",
        "Its Route 53 hosted zone (Z0123456789ABCDEFGHIJ)",
        asked=_reached_by("domain"),
    ),
    Question(
        "certificate-arn",
        "alb.certificate_arn",
        "ARN of the ACM certificate, in the same region",
        asked=_reached_by("certificate"),
    ),
    Question(
        "providers",
        "service.providers",
        "Model providers, with commas: openai, anthropic, bedrock",
        _always("openai,anthropic"),
        values=_list,
    ),
    Question(
        "bedrock-models",
        "service.bedrock_models",
        "Bedrock models that tasks may invoke, with commas",
        asked=lambda answers: "bedrock" in answers.get("service.providers", ()),
        values=_list,
    ),
    Question(
        "image",
        "service.image",
        f"Image: ecr (a repository of its own), public ({PUBLIC_IMAGE}), or a registry path",
        _always("ecr"),
        values=_image,
    ),
    Question(
        "alarm-email",
        "observability.alarm_email",
        "E-mail address for alarms; empty: none",
        _always(""),
    ),
    Question(
        "nat-gateways",
        "network.nat_gateways",
        "NAT gateways, about $32 a month each: 0 (Bedrock only), 1, 2",
        _always("1"),
        values=_number,
    ),
)
"""In the order in which they are asked: each may depend on those before it."""
