"""The questions of `setup`, in order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from gatestack.setup.draft import EXISTING_VPC, Answers
from gatestack.setup.question import Question, always, as_list, number, usual
from gatestack.setup.sizes import MODELS, SIZES
from stacks.settings import System
from stacks.systems import application

PUBLIC = "public"
"""The answer for a system's public releases."""

ACCOUNT_DIGITS = 12


def implied_access(said: Mapping[str, str | None]) -> str | None:
    """Return how clients reach it, if other options imply it; *said*: question -> its option's value."""
    by = {"domain-name": "domain", "hosted-zone-id": "domain", "certificate-arn": "certificate"}
    return next((way for name, way in by.items() if said.get(name) is not None), None)


def _account(_: Answers, text: str) -> str:
    """Return an account number as the file needs it, from any copied form: with quotes, spaces or dashes."""
    digits = "".join(char for char in text if char not in "\"' -")
    if digits.isascii() and digits.isdigit() and len(digits) == ACCOUNT_DIGITS:
        return digits
    count = f"{len(digits)} digits" if digits.isascii() and digits.isdigit() else "other characters"
    raise ValueError(
        f"{text} has {count}, and an AWS account has {ACCOUNT_DIGITS}: "
        "`aws sts get-caller-identity --query Account` shows yours"
    )


def _some(names: tuple[str, ...]) -> str:
    """Return *names*, or the first of many."""
    return ", ".join(names) if len(names) < 9 else f"{', '.join(names[:3])}, or another one of LiteLLM's"


def _usual_list(key: str) -> Callable[[Answers], str]:
    return lambda answers: ",".join(usual(answers, "service", key))


def _image(answers: Answers, text: str) -> str:
    if text != PUBLIC:
        return text
    place = application(answers["system"]).public_image
    if place is None:
        what = f"{answers['system']} has no public image"
        raise ValueError(f"{what}: build one and push it to the environment's repository (ecr)")
    return place


def _usual_image(answers: Answers) -> str:
    image = str(usual(answers, "service", "image"))
    return PUBLIC if image == application(answers["system"]).public_image else image


def _public_image(answers: Answers) -> str:
    place = application(answers["system"]).public_image
    return f"; public: {place}" if place else "; there is no public one"


def _calls_bedrock(answers: Answers) -> bool:
    return "bedrock" in answers.get("service.providers", usual(answers, "service", "providers"))


def _by_endpoints(answers: Answers) -> Mapping[str, Any]:
    """Return the needs of private subnets without a NAT gateway."""
    closed = answers["network.nat_gateways"] == 0
    return {"network.vpc_endpoints": True} if closed else {}


def _reached_by(way: str) -> Callable[[Answers], bool]:
    return lambda answers: answers.get("access") == way


def _exists(answers: Answers) -> bool:
    return EXISTING_VPC in answers


QUESTIONS = (
    Question(
        "system",
        "system",
        f"System: {', '.join(get_args(System))}",
        always(get_args(System)[0]),
        assumed=True,
    ),
    Question("environment", "environment", "Name of the environment (dev, staging, prod)"),
    Question("tier", "tier", "Tier: dev (cheap) or production (protected, redundant)", always("dev")),
    Question("region", "region", "AWS region", always("us-east-1")),
    Question("account", "account", "AWS account, twelve digits; empty: any", always(""), value=_account),
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
        value=as_list,
    ),
    Question(
        "bedrock-models",
        "service.bedrock_models",
        "Bedrock models that tasks may invoke, with commas",
        lambda answers: _usual_list("bedrock_models")(answers) or None,
        asked=_calls_bedrock,
        value=as_list,
    ),
    MODELS,
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
        always(""),
    ),
    Question("vpc-id", EXISTING_VPC, "Existing VPC id; empty: make one", always(""), assumed=True),
    Question(
        "vpc-cidr",
        "network.vpc_cidr",
        "Address range of the existing VPC, the one that the subnets are in",
        lambda answers: str(usual(answers, "network", "vpc_cidr")),
        asked=_exists,
    ),
    Question(
        "private-subnet-ids",
        "network.existing_vpc.private_subnet_ids",
        "Private subnets of the existing VPC for the tasks: two in different zones, with a comma",
        asked=_exists,
        value=as_list,
    ),
    Question(
        "public-subnet-ids",
        "network.existing_vpc.public_subnet_ids",
        "Public subnets of the existing VPC for the load balancer: two in different zones",
        asked=lambda answers: _exists(answers) and not answers.get("alb.internal"),
        value=as_list,
    ),
    Question(
        "data-subnet-ids",
        "network.existing_vpc.data_subnet_ids",
        "Subnets of the existing VPC for database and cache: two in different zones",
        asked=lambda answers: _exists(answers) and usual(answers, "network", "data_subnets"),
        value=as_list,
    ),
    Question(
        "nat-gateways",
        "network.nat_gateways",
        "NAT gateways, about $32 a month each: 0 (Bedrock only), 1, 2",
        lambda answers: str(usual(answers, "network", "nat_gateways")),
        asked=lambda answers: not _exists(answers),
        value=number,
        implies=_by_endpoints,
    ),
    *SIZES,
)
"""In the order of asking: each may depend on those before it."""
