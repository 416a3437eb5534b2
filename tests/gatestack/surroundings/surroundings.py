"""What can surround a command: variables and files of a user's, as data, and what it must come to in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha1

from tests.command import KEY, LOGIN
from tests.forked_commands import Process

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
"""The token that `aws sso login` stores, by the name that botocore looks for."""
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
        "elasticache",
        "elastic_load_balancing_v2",
        "cloudwatch_logs",
        "rds",
    ),
    *("route_53", "resource_groups_tagging_api", "s3", "secrets_manager", "service_quotas", "ssm", "sts"),
)
"""How variables and `services` sections call what commands ask."""


ORDINARY = Process()


@dataclass(frozen=True)
class Row:
    """
    One surrounding.

    In values and files, ``{sandbox}`` is the endpoint of another sandbox, ``{small}`` of one on fakes,
    ``{own}`` of this folder's, ``{answers}/CODE`` one that answers all with that error of AWS's (`ANSWERS`),
    ``{listening}`` its host and port, and ``{home}`` HOME. Every file can be run.
    """

    name: str
    code: int
    says: str = ""
    """Text on stderr."""
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    """By their path in HOME."""
    options: tuple[str, ...] = ()
    commands: tuple[str, ...] = ("status",)
    """
    Commands that run in `make test`, unless it is one of `ALIKE`; the rest of the five in `make check-deep`.
    """
    codes: Mapping[str, int] = field(default_factory=dict)
    """Of the commands with another exit code than the others."""
    process: Process = ORDINARY
    asks: tuple[str, ...] = ()
    """Hosts that may be requested of the proxy, or that botocore tries without it."""
    why: str = ""


def config(text: str | bytes) -> dict[str, str | bytes]:
    """Return ~/.aws/config."""
    return {".aws/config": text}


SANDBOX = 'sandbox: eval "$('
KEYS = f"aws_access_key_id = {KEY.access_key_id}\naws_secret_access_key = {KEY.secret_access_key}\n"
MIXED = "which this environment never uses: set AWS_ENDPOINT_URL"
EVERY = ("plan", "deploy", "status", "verify", "destroy")

LOCAL = (
    Row("nothing", 0, SANDBOX),
    Row(
        "an account's credentials, an endpoint of a profile's that is ignored, and an empty one",
        0,
        SANDBOX,
        {
            "AWS_ENDPOINT_URL": "",
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
            "AWS_PROFILE": "team",
            **LOGIN,
        },
        config(f"[profile team]\nendpoint_url = {AWS_HOST}\nregion = us-east-1\n{KEYS}"),
        commands=("deploy", "destroy"),
        why="what `make deploy-env` runs without ENV asks nobody, so it never goes to AWS",
    ),
    Row("an empty endpoint", 0, SANDBOX, {"AWS_ENDPOINT_URL": ""}, commands=("plan",)),
    Row(
        "endpoints that are ignored",
        0,
        SANDBOX,
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
        commands=("status", "verify"),
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
    Row("an endpoint of AWS's", 0, SANDBOX, {"AWS_ENDPOINT_URL": AWS_HOST}, commands=("plan", "destroy")),
    Row("an endpoint of AWS's by its name", 0, SANDBOX, {"AWS_ENDPOINT_URL": AWS_HOST[8:]}),
    Row("a dual-stack endpoint", 0, SANDBOX, {"AWS_ENDPOINT_URL": "https://ecs.eu-central-1.api.aws"}),
    Row("an isolated endpoint", 0, SANDBOX, {"AWS_ENDPOINT_URL": "https://s3.us-iso-east-1.c2s.ic.gov."}),
    Row("a sovereign endpoint", 0, SANDBOX, {"AWS_ENDPOINT_URL": "https://a@s3.eusc-de-east-1.amazonaws.eu"}),
    Row("dual-stack asked for", 0, SANDBOX, {"AWS_USE_DUALSTACK_ENDPOINT": "true"}),
    Row("FIPS asked for", 0, SANDBOX, {"AWS_USE_FIPS_ENDPOINT": "true"}, commands=("verify",)),
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
    Row(
        "an endpoint of one's own",
        0,
        "",
        {"AWS_ENDPOINT_URL": "{sandbox}", **LOGIN},
        commands=("plan", "destroy"),
    ),
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
        "pricing is at AWS (api.pricing.us-east-1.amazonaws.com), which this environment never uses",
        {f"AWS_ENDPOINT_URL_{one.upper()}": "{sandbox}" for one in SERVICES} | LOGIN,
        commands=("cost",),
    ),
    Row(
        "CloudFormation elsewhere, all others at AWS",
        2,
        "your AWS configuration sends cloudformation to an endpoint that is not AWS, and acm,",
        {"AWS_ENDPOINT_URL_CLOUDFORMATION": "{sandbox}", **LOGIN},
        commands=EVERY,
    ),
    Row(
        "STS at AWS, all others elsewhere",
        2,
        "to an endpoint that is not AWS, and sts to AWS",
        {"AWS_ENDPOINT_URL": "{sandbox}", "AWS_ENDPOINT_URL_STS": "https://sts.amazonaws.com", **LOGIN},
        commands=("deploy",),
    ),
    Row(
        "a services section for S3 alone",
        2,
        "sends s3 to an endpoint that is not AWS",
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
"""Of `local`: in all of them, nothing leaves this machine."""

ANSWERS = {
    "AuthFailure": "AWS was not able to validate the provided access credentials",
    "ExpiredToken": "The security token included in the request is expired",
    "InvalidClientTokenId": "The security token included in the request is invalid.",
    "RequestTimeTooSkewed": "The difference between the request time and the current time is too large.",
    "SignatureDoesNotMatch": "The request signature we calculated does not match the signature you provided.",
    "Early": "Signature not yet current: 20261128T050000Z is still later than 20261128T044500Z",
    "Late": "Signature expired: 20261128T040000Z is now earlier than 20261128T044500Z",
    "UnrecognizedClientException": "The security token included in the request is invalid.",
    "AccessDenied": "User is not authorized to perform: sts:AssumeRole",
}
"""Code -> AWS's message."""
CODES = {"Early": "SignatureDoesNotMatch", "Late": "InvalidSignatureException"}
SECRET = "ohthesecret"
"""A secret in the user's programs and files that no message may repeat."""
ROLE = "arn:aws:iam::111122223333:role/developer"


def program(name: str, code: int, says: str, text: str, run: str = "{home}/login") -> Row:
    """Return a credential program that prints *text*, and a secret on stderr."""
    script = f"#!/bin/sh\necho {SECRET} >&2\ncat <<'END'\n{text}\nEND\nexit {code}\n"
    return Row(name, 2, says, {}, config(f"[default]\ncredential_process = {run}\n") | {"login": script})


def answered(code: str, says: str, **more: str) -> Row:
    """Return an AWS that answers everything with *code*."""
    return Row(f"AWS answers {code}", 2, says, {"AWS_ENDPOINT_URL": f"{{answers}}/{code}", **LOGIN, **more})


def role(name: str, says: str, more: str, variables: Mapping[str, str] | None = None) -> Row:
    """Return a profile with a role that is assumed as *more* says."""
    profile = f"[default]\nrole_arn = {ROLE}\n{more}"
    return Row(name, 2, says, variables or {}, config(profile))


def variable(name: str, value: str, says: str, code: int = 2) -> Row:
    """Return an invalid AWS variable, with valid credentials and endpoint."""
    right = {"AWS_ENDPOINT_URL": "{small}", **LOGIN}
    return Row(f"{name}={value or 'nothing'}", code, says, right | {name: value})


METADATA = "169.254.169.254"
"""Where botocore requests the credentials of an EC2 instance, if it has found none before."""


def only(name: str, value: str, says: str, *asks: str) -> Row:
    """Return a variable as the only setting."""
    return Row(f"{name}={value or 'nothing'} alone", 2, says, {name: value}, asks=asks)


SETUP = "set up AWS credentials and region, or name another --profile"
NO_OBJECT = "the program of credential_process ({home}/login) printed no JSON object"
NOT_COMPLETE = "is not complete: see its role_arn, source_profile, sso_session, services"
OVER = "the AWS login has expired or cannot be renewed: log in again"
CIRCLE = "name each other in a circle: correct source_profile"
WEB = {"AWS_ROLE_ARN": ROLE}

AWS = (
    Row("nothing at all", 2, f"there are no AWS credentials: {SETUP}", asks=(METADATA,)),
    only(
        "AWS_ACCESS_KEY_ID",
        "AKIAEXAMPLE",
        "the AWS credentials are incomplete, AWS_SECRET_ACCESS_KEY is missing",
    ),
    only("AWS_SECRET_ACCESS_KEY", SECRET, "there are no AWS credentials", METADATA),
    only("AWS_PROFILE", "nobody", "there is no profile nobody in ~/.aws/config"),
    only("AWS_DEFAULT_PROFILE", "nobody", "there is no profile nobody in ~/.aws/config"),
    only("AWS_CONFIG_FILE", "{home}", "{home} cannot be read: it has to be a file"),
    only("AWS_SHARED_CREDENTIALS_FILE", "{home}", "{home} cannot be read: it has to be a file"),
    only("AWS_CONFIG_FILE", "/nowhere/config", "there are no AWS credentials", METADATA),
    Row("--profile of nobody", 2, "there is no profile nobody", options=("--profile", "nobody")),
    Row(
        "a configuration that is no INI", 2, "{home}/.aws/config cannot be read", files=config("region = x\n")
    ),
    Row(
        "a configuration not in UTF-8",
        2,
        "{home}/.aws/config cannot be read",
        files=config(b"[default]\nx = \xff\n"),
    ),
    Row("a section twice", 2, "{home}/.aws/config cannot be read", files=config("[default]\n[default]\n")),
    Row(
        "credentials not in UTF-8",
        2,
        "{home}/.aws/credentials cannot be read",
        files={".aws/credentials": b"[default]\naws_access_key_id = \xff\n"},
    ),
    Row(
        "half of the credentials in a file",
        2,
        "the AWS credentials are incomplete, aws_secret_access_key is missing",
        files={".aws/credentials": "[default]\naws_access_key_id = AKIAEXAMPLE\n"},
    ),
    Row(
        "a services section that is not there",
        2,
        NOT_COMPLETE,
        files=config(f"[default]\nservices = mine\n{KEYS}"),
    ),
    role("a role of itself without keys", CIRCLE, "source_profile = default\n"),
    role(
        "roles in a circle",
        CIRCLE,
        f"source_profile = b\n[profile b]\nrole_arn = {ROLE}\nsource_profile = c\n"
        f"[profile c]\nrole_arn = {ROLE}\nsource_profile = b\n",
    ),
    role("a role of a profile that is not there", NOT_COMPLETE, "source_profile = nobody\n"),
    role("a role of nobody", "source_profile or credential_source is missing", ""),
    role("a role of a source that is none", NOT_COMPLETE, "credential_source = Moon\n"),
    role(
        "a role that needs an MFA code",
        "needs an MFA code (mfa_serial), and there is no terminal",
        f"mfa_serial = arn:aws:iam::111122223333:mfa/me\nsource_profile = keys\n[profile keys]\n{KEYS}",
        {"AWS_ENDPOINT_URL": "{small}"},
    ),
    role(
        "a role that is denied",
        "sts AssumeRole: User is not authorized to perform: sts:AssumeRole",
        f"source_profile = keys\n[profile keys]\n{KEYS}",
        {"AWS_ENDPOINT_URL": "{answers}/AccessDenied"},
    ),
    role(
        "a role whose keys have expired",
        "the AWS credentials have expired: log in again (ExpiredToken)",
        f"source_profile = keys\n[profile keys]\n{KEYS}",
        {"AWS_ENDPOINT_URL": "{answers}/ExpiredToken"},
    ),
    role(
        "a role by a program that is not there",
        "the program of credential_process (/nowhere/login) cannot be run",
        "source_profile = program\n[profile program]\ncredential_process = /nowhere/login\n",
    ),
    program(
        "a program that is not there",
        0,
        "credential_process (/nowhere/login) cannot be run",
        "",
        "/nowhere/login",
    ),
    program("a program that is a folder", 0, "credential_process ({home}) cannot be run", "", "{home}"),
    program("a program without a name", 0, "the AWS configuration is not valid", "", "'"),
    program("a program that fails", 3, "({home}/login) ended with exit code 3: run it yourself", SECRET),
    program("a program that prints nothing", 0, NO_OBJECT, ""),
    program("a program that prints words", 0, NO_OBJECT, f"please log in {SECRET}"),
    program("a program that prints a list", 0, NO_OBJECT, f'["{SECRET}"]'),
    program("a program of another version", 0, "credential_process printed no credentials", '{"Version": 2}'),
    program("a program that prints no key", 0, "credential_process printed no credentials", '{"Version": 1}'),
    program(
        "a program whose credentials end on no day",
        0,
        "the AWS configuration is not valid",
        f'{{"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": "{SECRET}", "Expiration": "soon"}}',
    ),
    Row(
        "a web identity without its file",
        2,
        "/nowhere/token cannot be read (No such file or directory): correct AWS_WEB_IDENTITY_TOKEN_FILE",
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token", **WEB},
    ),
    Row(
        "a web identity that is a folder",
        2,
        "{home} cannot be read (Is a directory): correct AWS_WEB_IDENTITY_TOKEN_FILE",
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "{home}", **WEB},
    ),
    Row(
        "a web identity whose file is empty",
        2,
        "the web identity's token is empty: see AWS_WEB_IDENTITY_TOKEN_FILE",
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/token", **WEB},
        {"token": ""},
    ),
    Row(
        "a web identity without a role",
        2,
        NOT_COMPLETE,
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/token"},
        {"token": SECRET},
    ),
    Row(
        "a web identity that is refused",
        2,
        "sts AssumeRoleWithWebIdentity: User is not authorized",
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/token", "AWS_ENDPOINT_URL": "{answers}/AccessDenied", **WEB},
        {"token": SECRET},
    ),
    Row("SSO, never logged in", 2, f"{OVER} (aws sso login)", {"AWS_PROFILE": "sso"}, config(SSO)),
    Row(
        "SSO, logged in long ago",
        2,
        f"{OVER} (aws sso login)",
        {"AWS_PROFILE": "sso"},
        config(SSO) | {name: str(text).replace("2099", "2019") for name, text in TOKEN.items()},
    ),
    Row(
        "SSO with a broken cache",
        2,
        f"{OVER}: what the last login left in ~/.aws/sso/cache",
        {"AWS_PROFILE": "sso"},
        config(SSO) | dict.fromkeys(TOKEN, "{"),
    ),
    Row(
        "SSO without its session", 2, NOT_COMPLETE, {"AWS_PROFILE": "sso"}, config(SSO.partition("[sso-s")[0])
    ),
    Row(
        "SSO that cannot be reached",
        2,
        "no connection",
        {"AWS_PROFILE": "sso"},
        config(SSO) | TOKEN,
        asks=("portal.sso.eu-central-1.amazonaws.com:443",),
    ),
    only(
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "/x",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: correct it",
        "169.254.170.2",
    ),
    only("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/x", "the AWS configuration is not valid"),
    Row(
        "an endpoint without a scheme",
        2,
        "write http://HOST:PORT in AWS_ENDPOINT_URL",
        {"AWS_ENDPOINT_URL": "localhost:4566", **LOGIN},
    ),
    Row(
        "an endpoint that is not a URL",
        2,
        "write http://HOST:PORT in AWS_ENDPOINT_URL",
        {"AWS_ENDPOINT_URL": "http://[::", **LOGIN},
    ),
    Row(
        "an endpoint without a host",
        2,
        "write http://HOST:PORT in AWS_ENDPOINT_URL",
        {"AWS_ENDPOINT_URL": "http://", **LOGIN},
    ),
    Row(
        "an endpoint with a port that is none",
        2,
        "AWS_ENDPOINT_URL",
        {"AWS_ENDPOINT_URL": f"http://me:{SECRET}@127.0.0.1:port", **LOGIN},
    ),
    Row(
        "an endpoint of a file without a scheme",
        2,
        "write http://HOST:PORT in endpoint_url in ~/.aws/config",
        LOGIN,
        config("[default]\nendpoint_url = localhost\n"),
    ),
    Row(
        "an endpoint that nobody listens at",
        2,
        "no connection to 127.0.0.1",
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", **LOGIN},
    ),
    variable("AWS_USE_FIPS_ENDPOINT", "true", "", 0),
    variable("AWS_RETRY_MODE", "never", "", 0),
    variable("AWS_MAX_ATTEMPTS", "many", "", 0),
    variable("AWS_DEFAULTS_MODE", "none", "", 0),
    variable("AWS_DEFAULTS_MODE", "auto", "", 0),
    variable("AWS_METADATA_SERVICE_TIMEOUT", "soon", "AWS_METADATA_SERVICE_TIMEOUT"),
    variable(
        "AWS_REQUEST_CHECKSUM_CALCULATION", "never", "AWS_REQUEST_CHECKSUM_CALCULATION has a value that AWS's"
    ),
    variable(
        "AWS_RESPONSE_CHECKSUM_VALIDATION", "never", "AWS_RESPONSE_CHECKSUM_VALIDATION has a value that AWS's"
    ),
    variable(
        "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", "many", "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES has a value"
    ),
    variable("AWS_ACCOUNT_ID_ENDPOINT_MODE", "moon", "AWS_ACCOUNT_ID_ENDPOINT_MODE has a value that AWS's"),
    Row(
        "an endpoint mode of a file that is none",
        2,
        "account_id_endpoint_mode in ~/.aws/config",
        LOGIN | {"AWS_ENDPOINT_URL": "{small}"},
        config("[default]\naccount_id_endpoint_mode = moon\n"),
    ),
    variable("AWS_STS_REGIONAL_ENDPOINTS", "moon", "AWS_STS_REGIONAL_ENDPOINTS"),
    Row(
        "a CA bundle that is not there",
        2,
        "/nowhere/ca.pem is not there: AWS_CA_BUNDLE",
        {
            "AWS_CA_BUNDLE": "/nowhere/ca.pem",
            "AWS_ENDPOINT_URL": "https://{listening}",
            "NO_PROXY": "*",
            **LOGIN,
        },
    ),
    Row(
        "a CA bundle that is none",
        2,
        "is not trusted: see AWS_CA_BUNDLE and ca_bundle",
        {"AWS_CA_BUNDLE": "{home}/ca.pem", "AWS_ENDPOINT_URL": "https://{listening}", **LOGIN},
        {"ca.pem": "none"},
    ),
    Row(
        "a proxy that refuses",
        2,
        "no connection through the proxy",
        LOGIN,
        asks=("cloudformation.us-east-1.amazonaws.com:443",),
    ),
    Row("a proxy that is not a URL", 2, "HTTPS_PROXY", {"HTTPS_PROXY": "http://[::", **LOGIN}),
    Row(
        "a proxy that is not there",
        2,
        "no connection through the proxy",
        {"HTTPS_PROXY": f"http://me:{SECRET}@127.0.0.1:1", **LOGIN},
    ),
    answered("AuthFailure", "in us-east-1: log in again, or enable the region"),
    answered("InvalidClientTokenId", "in us-east-1: log in again, or enable the region"),
    answered("UnrecognizedClientException", "in us-east-1: log in again, or enable the region"),
    answered("ExpiredToken", "the AWS credentials have expired: log in again"),
    answered("RequestTimeTooSkewed", "this machine's clock differs from AWS's: set the clock"),
    answered("Early", "this machine's clock differs from AWS's: set the clock (SignatureDoesNotMatch)"),
    answered("Late", "this machine's clock differs from AWS's: set the clock (InvalidSignatureException)"),
    answered("SignatureDoesNotMatch", "the secret key does not belong to the access key"),
)
"""Of an environment on AWS: what is wrong before anything began is told in one sentence, with exit code 2."""

ALIKE = frozenset(
    {
        # of local: AWS's hosts by their last labels (test_endpoint.py), and what nobody reads there
        "a dual-stack endpoint",
        "an isolated endpoint",
        "dual-stack asked for",
        "a configuration that is not UTF-8",
        "a configuration that is a folder",
        "a services section without values",
        "attempts that are no number",
        "defaults by region",
        "half of a key",
        "a container's credentials",
        "proxies that are no URL",
        # of AWS: one sentence for each of these and of a row that is left
        "AWS_DEFAULT_PROFILE=nobody alone",
        "a configuration not in UTF-8",
        "roles in a circle",
        "a program that is a folder",
        "a program that prints nothing",
        "a program that prints a list",
        "a program of another version",
        "an endpoint without a host",
        "AWS_DEFAULTS_MODE=none",
        "AWS_MAX_ATTEMPTS=many",
        "AWS_RESPONSE_CHECKSUM_VALIDATION=never",
        "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES=many",
        "AWS answers AuthFailure",
        "AWS answers UnrecognizedClientException",
        # of local, or with --sandbox: an endpoint that has no say
        "some endpoints",
        "AWS's own",
        # of machines: a value that nothing is made of, as the one beside it
        "HOME that is nowhere",
        "both without a reader",
        "both on a full disk",
        "ASCII streams that are strict",
        "NO_COLOR=nothing",
        "TTY_COMPATIBLE=1",
        "TTY_INTERACTIVE=1",
        "CLICOLOR_FORCE=1",
        "TERM=dumb",
        "TERM=nothing",
        "TERM=xterm-kitty",
        "COLUMNS=0",
        "COLUMNS=80",
        "COLUMNS=many",
        "LINES=0",
        "PYTHONDEVMODE=1",
        "AWS_EC2_METADATA_DISABLED=perhaps",
        "AWS_PAGER=/nowhere/less",
        "BOTO_CONFIG=/nowhere/boto",
        "CI",
    }
)
"""Surroundings with the same result and messages as others: only `make check-deep` has all of them."""
