"""What can surround a command: variables and files of a user's, as data, and what it must come to in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha1

from tests.command import KEY, LOGIN

AWS_HOST = "https://cloudformation.eu-central-1.amazonaws.com"
SSO = """[profile sso]
sso_session = company
sso_account_id = 111122223333
sso_role_name = Developer
region = eu-central-1
[sso-session company]
sso_start_url = https://company.awsapps.com/start
sso_region = eu-central-1
sso_registration_scopes = sso:account:access
"""
TOKEN: dict[str, str | bytes] = {
    f".aws/sso/cache/{sha1(b'company', usedforsecurity=False).hexdigest()}.json": json.dumps(
        {
            "startUrl": "https://company.awsapps.com/start",
            "region": "eu-central-1",
            "accessToken": "example",
            "expiresAt": "2099-01-01T00:00:00Z",
        }
    )
}
"""What `aws sso login` leaves behind, by the name that botocore looks for."""
SERVICES = (
    *(
        "iam",
        "kms",
        "lambda",
        "cloudwatch",
        "acm",
        "cloudformation",
        "ec2",
        "ecr",
        "ecs",
        "elastic_load_balancing_v2",
        "cloudwatch_logs",
        "rds",
    ),
    *("route_53", "s3", "secrets_manager", "ssm", "sts"),
)
"""How variables and `services` sections call what commands ask."""


@dataclass(frozen=True)
class Row:
    """
    One surrounding.

    In values and files, ``{sandbox}`` is the endpoint of another sandbox, ``{own}`` of this folder's,
    ``{proxy}`` a proxy that refuses everything, and ``{home}`` is HOME.
    """

    name: str
    code: int
    says: str = ""
    """What stands on stderr."""
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    """By their path in HOME."""
    options: tuple[str, ...] = ()
    commands: tuple[str, ...] = ("status",)


def config(text: str | bytes) -> dict[str, str | bytes]:
    """Return ~/.aws/config."""
    return {".aws/config": text}


SANDBOX = 'sandbox: eval "$('
KEYS = f"aws_access_key_id = {KEY.access_key_id}\naws_secret_access_key = {KEY.secret_access_key}\n"
MIXED = "where this environment never goes: set AWS_ENDPOINT_URL"
EVERY = ("plan", "deploy", "status", "verify", "destroy")
NO_DEPLOY = ("plan", "status", "verify", "destroy")

LOCAL = (
    Row("nothing", 0, SANDBOX),
    Row("an empty endpoint", 0, SANDBOX, {"AWS_ENDPOINT_URL": ""}, commands=EVERY),
    Row(
        "endpoints that are ignored",
        0,
        SANDBOX,
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
        commands=NO_DEPLOY,
    ),
    Row(
        "a profile that ignores its endpoint",
        0,
        SANDBOX,
        files=config(
            "[default]\nendpoint_url = http://127.0.0.1:1\nignore_configured_endpoint_urls = true\n"
        ),
    ),
    Row("its own endpoint", 0, SANDBOX, {"AWS_ENDPOINT_URL": "{own}"}),
    Row("an endpoint of AWS's", 0, SANDBOX, {"AWS_ENDPOINT_URL": AWS_HOST}, commands=NO_DEPLOY),
    Row("an endpoint of AWS's by its name", 0, SANDBOX, {"AWS_ENDPOINT_URL": AWS_HOST[8:]}),
    Row("a dual-stack endpoint", 0, SANDBOX, {"AWS_ENDPOINT_URL": "https://ecs.eu-central-1.api.aws"}),
    Row("an isolated endpoint", 0, SANDBOX, {"AWS_ENDPOINT_URL": "https://s3.us-iso-east-1.c2s.ic.gov."}),
    Row("a sovereign endpoint", 0, SANDBOX, {"AWS_ENDPOINT_URL": "https://a@s3.eusc-de-east-1.amazonaws.eu"}),
    Row("dual-stack asked for", 0, SANDBOX, {"AWS_USE_DUALSTACK_ENDPOINT": "true"}),
    Row("FIPS asked for", 0, SANDBOX, {"AWS_USE_FIPS_ENDPOINT": "true"}, commands=NO_DEPLOY),
    Row("a profile that is not there", 0, SANDBOX, {"AWS_PROFILE": "nobody"}),
    Row("a --profile that is not there", 0, SANDBOX, options=("--profile", "nobody")),
    Row("a login by SSO", 0, SANDBOX, {"AWS_PROFILE": "sso"}, config(SSO)),
    Row("a configuration that is no INI", 0, SANDBOX, files=config("endpoint_url = http://127.0.0.1:1\n")),
    Row("a configuration that is not UTF-8", 0, SANDBOX, files=config(b"[default]\nregion = \xff\xfe\n")),
    Row("a configuration that is a folder", 0, SANDBOX, files={".aws/config/x": ""}),
    Row("a services section that is not there", 0, SANDBOX, files=config("[default]\nservices = mine\n")),
    Row(
        "a services section without values",
        0,
        SANDBOX,
        files=config("[default]\nservices = mine\n[services mine]\ns3 = http://127.0.0.1:1\n"),
    ),
    Row("a mode of retries that is none", 0, SANDBOX, {"AWS_RETRY_MODE": "never"}),
    Row("attempts that are no number", 0, SANDBOX, {"AWS_MAX_ATTEMPTS": "many"}),
    Row("defaults by region", 0, SANDBOX, {"AWS_DEFAULTS_MODE": "auto"}),
    Row("a CA bundle that is not there", 0, SANDBOX, {"AWS_CA_BUNDLE": "/nowhere/ca.pem"}),
    Row("proxies that are no URL", 0, SANDBOX, {"HTTPS_PROXY": "::", "HTTP_PROXY": "::", "ALL_PROXY": "::"}),
    Row("a web identity without its file", 0, SANDBOX, {"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere"}),
    Row("half of a key", 0, SANDBOX, {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE"}),
    Row("a container's credentials", 0, SANDBOX, {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"}),
    Row(
        "a program of credentials that is not there",
        0,
        SANDBOX,
        files=config("[default]\ncredential_process = /nowhere/login\n"),
    ),
    Row("an endpoint of one's own", 0, "", {"AWS_ENDPOINT_URL": "{sandbox}", **LOGIN}, commands=NO_DEPLOY),
    Row(
        "an endpoint of a profile's",
        0,
        "",
        {"AWS_PROFILE": "own"},
        config(f"[profile own]\nendpoint_url = {{sandbox}}\n{KEYS}"),
    ),
    Row(
        "an endpoint of --profile's",
        0,
        "",
        {},
        config(f"[profile own]\nendpoint_url = {{sandbox}}\n{KEYS}"),
        options=("--profile", "own"),
    ),
    Row(
        "endpoints of a services section",
        0,
        "",
        LOGIN,
        config(
            "[default]\nservices = mine\n[services mine]\n"
            + "".join(f"{one} =\n  endpoint_url = {{sandbox}}\n" for one in SERVICES)
        ),
    ),
    Row(
        "a variable for each service",
        0,
        "",
        {f"AWS_ENDPOINT_URL_{one.upper()}": "{sandbox}" for one in SERVICES} | LOGIN,
    ),
    Row(
        "the price list at AWS, what is deployed elsewhere",
        0,
        "pricing is at AWS (api.pricing.us-east-1.amazonaws.com), where this environment never goes",
        {f"AWS_ENDPOINT_URL_{one.upper()}": "{sandbox}" for one in SERVICES} | LOGIN,
        commands=("cost",),
    ),
    Row(
        "CloudFormation elsewhere, all others at AWS",
        2,
        "your AWS settings lead cloudformation to an endpoint that is not AWS, and leave acm,",
        {"AWS_ENDPOINT_URL_CLOUDFORMATION": "{sandbox}", **LOGIN},
        commands=EVERY,
    ),
    Row(
        "STS at AWS, all others elsewhere",
        2,
        "leave sts at AWS",
        {"AWS_ENDPOINT_URL": "{sandbox}", "AWS_ENDPOINT_URL_STS": "https://sts.amazonaws.com", **LOGIN},
        commands=EVERY,
    ),
    Row(
        "a services section for S3 alone",
        2,
        "lead s3 to an endpoint that is not AWS",
        LOGIN,
        config("[default]\nservices = mine\n[services mine]\ns3 =\n  endpoint_url = {sandbox}\n"),
    ),
    Row(
        "an endpoint of one's own and a login by SSO",
        2,
        MIXED,
        {f"AWS_ENDPOINT_URL_{one.upper()}": "{sandbox}" for one in SERVICES} | {"AWS_PROFILE": "sso"},
        config(SSO) | TOKEN,
    ),
    Row(
        "an endpoint of one's own and no credentials but a machine's",
        2,
        "credentials",
        {"AWS_ENDPOINT_URL": "{sandbox}", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"},
    ),
)
"""Of `local`: whatever it is, nothing leaves this machine."""
