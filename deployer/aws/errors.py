"""Converts botocore's exceptions. No message repeats a request's parameters: they may be secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError
from urllib3.exceptions import LocationValueError

from deployer.aws.sign_in.settings_errors import OVER, REFRESHING, REQUEST, told
from deployer.denials import limits
from deployer.errors import CloudError, DeployError, LoginOver, MovedOn, NotAllowed, Refused, Transient
from deployer.scrub import said

THROTTLED = frozenset(
    {
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
"""botocore's own list of codes that mean throttling (retry handler of its standard mode)."""
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
INVALID = frozenset(
    {
        "AuthFailure",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "OptInRequired",
        "UnrecognizedClient",
        "UnrecognizedClientException",
    }
)
ANSWER = 2_000
"""
Characters shown of AWS's message; it may contain an encoded message for an administrator to decode (IAM).
"""
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"})

_ACTION = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z]+)")
"""The action in AWS's message (IAM User Guide, "Troubleshoot access denied error messages")."""

CLOCK = frozenset({"RequestTimeTooSkewed", "RequestInTheFuture"})
"""
Codes of a wrong clock; other services use one code for every wrong signature, with the cause in the message.
"""
_CLOCK_WORDS = ("Signature not yet current", "Signature expired")
NOT_SIGNED = frozenset({"InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature"})

_CONNECTION = (boto.HTTPClientError, boto.ConnectionError, boto.IncompleteReadError)


MISSING = ("Stack [{}] does not exist", "Stack with id {} does not exist", "Stack:{} does not exist")
"""How AWS words that there is no such stack, by name or by ARN; it has no code of its own for that."""
TAKEN = "Stack [{}] already exists and cannot be created again"
"""Start of AWS's message that a CREATE change set names an existing stack."""
BUSY = re.compile(r"Stack:? ?\[?[\w:/.-]+\]? is in [A-Z_]+_IN_PROGRESS state\b")
"""Start of AWS's message that an operation on the stack is in progress."""
UNREAD = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""Exceptions that botocore's parsers raise for an unexpected response."""
NO_ANSWER = "not an AWS response"
ASKED = "is it AWS that answers at this endpoint?"
NAMED = "AnswersByName"
"""Key added to a response: whether its body has the root element that AWS's has."""


class Answer(dict[str, Any]):
    """A service's response; a missing field raises an error that says the response is not AWS's."""

    def __init__(self, found: Mapping[str, Any], what: str) -> None:
        super().__init__(found)
        self._what = what

    def __missing__(self, key: str) -> NoReturn:
        text = f"{self._what}: {NO_ANSWER}, it has no {key}: {ASKED}"
        raise CloudError(text, operation=self._what.rpartition(" ")[2])


def call(client: Any, method: str, **parameters: Any) -> Any:
    """
    Call *method* of a botocore client.

    Raises:
        DeployError: what went wrong, in our words.

    """
    service, operation = client.meta.service_model.service_name, client.meta.method_to_api_mapping[method]
    try:
        found = getattr(client, method)(**parameters)
    except (boto.ClientError, boto.BotoCoreError, ResponseParserError, *REFRESHING) as error:
        _raise(error, service, operation, client.meta.region_name)
    except UNREAD as error:
        raise _unreadable(service, operation) from error
    if _says_nothing(found, client.meta.service_model, operation):
        raise _unreadable(service, operation)
    return Answer(found, f"{service} {operation}") if isinstance(found, dict) else found


def note_what_answers(**event: Any) -> None:
    """Record in botocore's response whether its body has AWS's root element: a handler of before-parse."""
    named = f"<{event['operation_model'].name}Response".encode()
    body = event["response_dict"]["body"] or b""
    # a stream (an S3 object) can be read once: leave it to the caller
    event["customized_response_dict"][NAMED] = isinstance(body, bytes) and named in body


def _says_nothing(found: Any, model: Any, operation: str) -> bool:
    """
    Whether *found* may be anything, such as a proxy's page.

    botocore does not parse the body of an operation that returns nothing. In the Query protocol AWS's has its
    name and the request's id (CloudFormation API Reference, "Common Response Elements"; botocore,
    parsers.py); an emulator's may lack the id.
    """
    if model.metadata.get("protocol") != "query" or model.operation_model(operation).output_shape is not None:
        return False
    return not (found.get(NAMED) or found.get("ResponseMetadata", {}).get("RequestId"))


def is_missing(error: CloudError, stack: str = "") -> bool:
    """
    Whether AWS says that the stack does not exist; other missing things do not count.

    *stack*: the name or id that was asked for; without one (only a change set's id was given), any counts.
    """
    names = "|".join(re.escape(one) for one in {stack, stack_name(stack)}) if stack else r"[\w:/.-]+"
    said = "|".join(re.escape(wording).replace(r"\{\}", f"(?:{names})") for wording in MISSING)
    return error.code == "ValidationError" and bool(re.fullmatch(rf"(?:{said})\.?", error.answer))


def is_unused(error: CloudError, export: str) -> bool:
    """Whether AWS says that nobody imports *export*: an error, where a list would be empty."""
    said = (f"Export '{export}' is not imported by any stack", f"Export '{export}' does not exist")
    return error.code == "ValidationError" and error.answer.rstrip(".") in said


def is_taken(error: CloudError, stack: str) -> bool:
    """Whether AWS says that a stack to be created already exists."""
    names = {stack, stack_name(stack)}
    return error.code == "ValidationError" and error.answer.startswith(
        tuple(TAKEN.format(name) for name in names)
    )


def stack_name(stack: str) -> str:
    """Return the name of a stack that is given by name or by ARN."""
    return stack.split("/")[1] if stack.startswith("arn:") and "/" in stack else stack


def _unreadable(service: str, operation: str) -> Transient:
    return Transient(f"{service} {operation}: {NO_ANSWER}", operation=operation)


def refused(error: Exception, region: str) -> DeployError:
    """Return why there is no login in *region*, for any error."""
    if isinstance(error, DeployError):
        return error
    if isinstance(error, boto.ClientError):
        return LoginOver(str(_answered(error, "sts", error.operation_name, region)))
    if isinstance(error, _CONNECTION):
        return Transient(f"AWS login: {_unconnected(error)}", operation="login")
    return LoginOver(told(error)) if isinstance(error, OVER) else Refused(told(error))


def _raise(error: Exception, service: str, operation: str, region: str) -> NoReturn:
    if isinstance(error, boto.ClientError):
        raise _answered(error, service, operation, region) from error
    if isinstance(error, _CONNECTION):
        raise Transient(f"{service} {operation}: {_unconnected(error)}", operation=operation) from error
    if isinstance(error, ResponseParserError):
        raise _unreadable(service, operation) from error
    if isinstance(error, REQUEST):
        text = f"{service} {operation}: botocore rejects the request ({type(error).__name__})"
        raise CloudError(text, operation=operation) from error
    raise refused(error, region) from error


def _unconnected(error: Exception) -> str:
    """Return why there is no connection, without botocore's words: a URL in them may hold a login."""
    found: Mapping[str, Any] = getattr(error, "kwargs", {})
    cause = found.get("error")
    where = urlsplit(str(found.get("endpoint_url", ""))).hostname or "AWS"
    if isinstance(error, boto.ProxyConnectionError) or "proxy" in type(cause).__name__.lower():
        return "no connection through the proxy: correct or unset HTTPS_PROXY and HTTP_PROXY"
    if isinstance(error, boto.SSLError):
        return f"no connection: the certificate of {where} is not trusted: see AWS_CA_BUNDLE and ca_bundle"
    if isinstance(cause, (ValueError, LocationValueError)):
        return "no connection: an endpoint or a proxy is not a URL: see AWS_ENDPOINT_URL and HTTPS_PROXY"
    if isinstance(error, (boto.ConnectTimeoutError, boto.ReadTimeoutError)):
        return f"no connection: no answer from {where} in time"
    return f"no connection to {where}"


def _answered(error: boto.ClientError, service: str, operation: str, region: str) -> DeployError:
    answer = error.response.get("Error", {})
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    code = said(answer["Code"], most=ANSWER) if answer.get("Code") else ""
    nothing = code in {"", str(status)}  # botocore's own text if the response has none
    message = said(answer.get("Message") or (f"{NO_ANSWER}: {ASKED}" if nothing else error), most=ANSWER)
    text = f"{service} {operation}: {message} ({code or status})"
    if over := _over(code, message, region):
        return LoginOver(f"{over} ({code})")
    if code in DENIED:
        named = _ACTION.search(message)  # IAM's name of the action, which may differ from the operation's
        permission = named[1] if named else f"{_prefix(service)}:{operation}"
        advice = limits(message) or f"grant the permission {permission}"
        return NotAllowed(f"{text}: {advice}", code=code, operation=operation)
    if code in THROTTLED or (500 <= status < 600 and status != 501):
        return Transient(text, code=code, operation=operation)
    if code == "ValidationError" and BUSY.match(message):
        return MovedOn(text, code=code, operation=operation, answer=message)
    return CloudError(text, code=code or str(status), operation=operation, answer=message)


def _over(code: str, message: str, region: str) -> str:
    """Return what *code* means for the login in *region*; empty if it is about something else."""
    if code in CLOCK or (code in NOT_SIGNED and any(words in message for words in _CLOCK_WORDS)):
        return "this machine's clock differs from AWS's: set the clock"
    if code in EXPIRED:
        return "the AWS credentials have expired: log in again"
    if "exceeds the MaxSessionDuration" in message:
        return (
            "the role allows shorter sessions than pipelines.session_hours of the environment's file: an "
            "administrator runs `gatestack bootstrap ENV` again, or write fewer hours"
        )
    if code in NOT_SIGNED:
        return "the secret key does not belong to the access key: log in again"
    if code in INVALID:
        known = f"AWS does not accept these credentials in {region}"
        return f"{known}: log in again, or enable the region in the account if it is an opt-in region"
    return ""


def _prefix(service: str) -> str:
    return {
        "elasticloadbalancingv2": "elasticloadbalancing",
        "monitoring": "cloudwatch",
        "resourcegroupstaggingapi": "tag",
        "service-quotas": "servicequotas",
    }.get(service, service)
