"""What `setup` asks: each question as data, and how an answer in words becomes values of the file. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from gatestack.setup.draft import EXISTING_VPC, Answers, objection
from stacks.environment import defaults, is_unused
from stacks.settings import System
from stacks.systems import application

ACCESS: Mapping[str, Mapping[str, Any]] = {
    "domain": {},
    "certificate": {},
    "http": {},
    "internal": {"alb.internal": True},
}
"""How clients reach the gateway -> what follows from that alone."""
PUBLIC = "public"
"""Answer for the place of a system's releases."""

ACCOUNT_DIGITS = 12


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
    """Beside that the system has a use for the key."""
    adds: Callable[[Answers], str] = lambda _: ""
    """What the words end with after the answers before it."""
    value: Callable[[Answers, str], Any] = lambda _, text: text
    """The answer as the file has it; raises ValueError with the reason where it cannot be."""
    implies: Callable[[Answers], Mapping[str, Any]] = lambda _: {}
    """What follows from the answer for other keys."""
    meanwhile: Mapping[str, Any] = field(default_factory=dict)
    """Answers that later questions will give, for rules that want both."""
    assumed: bool = False
    """Whether the default stands where nobody can be asked; of any other question that is said with --yes."""

    @property
    def option(self) -> str:
        """Return its option: ``--nat-gateways``."""
        return f"--{self.name}"

    def concerns(self, answers: Answers) -> bool:
        """Whether it is asked after *answers*."""
        unused = "system" in answers and is_unused(answers["system"], self.key)
        return not unused and self.asked(answers)

    def answered(self, answers: Answers, text: str) -> Answers:
        """Return *answers* with the answer *text*; raises ValueError with the reason where it cannot be."""
        text = text.strip()
        if self.name == "access":
            return _access(answers, text)
        if not text and self.default(answers) == "":
            return answers
        result = {**answers, self.key: self.value(answers, text)}
        result |= self.implies(result)
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


def _number(_: Answers, text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def _account(_: Answers, text: str) -> str:
    """Return an account as the file has it, however it is copied: with quotes, spaces or dashes."""
    digits = "".join(char for char in text if char not in "\"' -")
    if digits.isascii() and digits.isdigit() and len(digits) == ACCOUNT_DIGITS:
        return digits
    count = f"{len(digits)} digits" if digits.isascii() and digits.isdigit() else "other characters"
    raise ValueError(
        f"{text} has {count}, and an AWS account has {ACCOUNT_DIGITS}: "
        "`aws sts get-caller-identity --query Account` shows yours"
    )


def _list(_: Answers, text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _usual(answers: Answers, section: str, key: str) -> Any:
    """Return the default of a key, in the system and tier that were answered."""
    return defaults(answers["system"], answers["tier"])[section][key]


def _some(names: tuple[str, ...]) -> str:
    """Return *names*, or the first of many."""
    return ", ".join(names) if len(names) < 9 else f"{', '.join(names[:3])}, or another one of LiteLLM's"


def _usual_list(key: str) -> Callable[[Answers], str]:
    return lambda answers: ",".join(_usual(answers, "service", key))


def _image(answers: Answers, text: str) -> str:
    if text != PUBLIC:
        return text
    place = application(answers["system"]).public_image
    if place is None:
        what = f"{answers['system']} has no public image"
        raise ValueError(f"{what}: build one and push it to the environment's repository (ecr)")
    return place


def _usual_image(answers: Answers) -> str:
    usual = str(_usual(answers, "service", "image"))
    return PUBLIC if usual == application(answers["system"]).public_image else usual


def _public_image(answers: Answers) -> str:
    place = application(answers["system"]).public_image
    return f"; public: {place}" if place else "; there is no public one"


def _calls_bedrock(answers: Answers) -> bool:
    return "bedrock" in answers.get("service.providers", _usual(answers, "service", "providers"))


def _by_endpoints(answers: Answers) -> Mapping[str, Any]:
    """Return what private subnets without a NAT gateway need."""
    closed = answers["network.nat_gateways"] == 0
    return {"network.vpc_endpoints": True} if closed else {}


def _reached_by(way: str) -> Callable[[Answers], bool]:
    return lambda answers: answers.get("access") == way


def _exists(answers: Answers) -> bool:
    return EXISTING_VPC in answers


def _always(text: str) -> Callable[[Answers], str]:
    return lambda _: text


QUESTIONS = (
    Question(
        "system",
        "system",
        f"System: {', '.join(get_args(System))}",
        _always(get_args(System)[0]),
        assumed=True,
    ),
    Question("environment", "environment", "Name of the environment (dev, staging, prod)"),
    Question("tier", "tier", "Tier: dev (cheap) or production (protected, redundant)", _always("dev")),
    Question("region", "region", "AWS region", _always("us-east-1")),
    Question("account", "account", "AWS account, twelve digits; empty: any", _always(""), value=_account),
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
        "Model providers, with commas",
        _usual_list("providers"),
        asked=lambda answers: len(application(answers["system"]).providers) > 1,
        adds=lambda answers: f": {_some(application(answers['system']).providers)}",
        value=_list,
    ),
    Question(
        "bedrock-models",
        "service.bedrock_models",
        "Bedrock models that tasks may invoke, with commas",
        lambda answers: _usual_list("bedrock_models")(answers) or None,
        asked=_calls_bedrock,
        value=_list,
    ),
    Question(
        "image",
        "service.image",
        "Image: ecr (a repository of its own), public (the system's releases), or a registry path",
        _usual_image,
        adds=_public_image,
        value=_image,
    ),
    Question(
        "alarm-email",
        "observability.alarm_email",
        "E-mail address for alarms; empty: none",
        _always(""),
    ),
    Question("vpc-id", EXISTING_VPC, "Existing VPC id; empty: make one", _always(""), assumed=True),
    Question(
        "vpc-cidr",
        "network.vpc_cidr",
        "Address range of the existing VPC, the one that the subnets are in",
        lambda answers: str(_usual(answers, "network", "vpc_cidr")),
        asked=_exists,
    ),
    Question(
        "private-subnet-ids",
        "network.existing_vpc.private_subnet_ids",
        "Private subnets of the existing VPC for the tasks: two in different zones, with a comma",
        asked=_exists,
        value=_list,
    ),
    Question(
        "public-subnet-ids",
        "network.existing_vpc.public_subnet_ids",
        "Public subnets of the existing VPC for the load balancer: two in different zones",
        asked=lambda answers: _exists(answers) and not answers.get("alb.internal"),
        value=_list,
    ),
    Question(
        "data-subnet-ids",
        "network.existing_vpc.data_subnet_ids",
        "Subnets of the existing VPC for database and cache: two in different zones",
        asked=lambda answers: _exists(answers) and _usual(answers, "network", "data_subnets"),
        value=_list,
    ),
    Question(
        "nat-gateways",
        "network.nat_gateways",
        "NAT gateways, about $32 a month each: 0 (Bedrock only), 1, 2",
        lambda answers: str(_usual(answers, "network", "nat_gateways")),
        asked=lambda answers: not _exists(answers),
        value=_number,
        implies=_by_endpoints,
    ),
)
"""In the order in which they are asked: each may depend on those before it."""
