"""What botocore raises, in our words. No message repeats a request's parameters: they may hold secrets."""

from __future__ import annotations

from typing import Any, NoReturn

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from deployer.denials import limits
from deployer.errors import CloudError, DeployError, LostSight, MovedOn, NotAllowed, Refused, Transient
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
    {"AuthFailure", "InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException"}
)
ANSWER = 2_000
"""Characters of AWS's own answer: one may hold an encoded message that somebody is to have decoded (IAM)."""
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"})

_CONNECTION = (boto.HTTPClientError, boto.ConnectionError, boto.IncompleteReadError)
_LOGIN = (
    boto.CredentialRetrievalError,
    boto.SSOError,
    boto.TokenRetrievalError,
    boto.RefreshWithMFAUnsupportedError,
)
_SETUP = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.ProfileNotFound,
    boto.NoRegionError,
    boto.ConfigParseError,
    boto.InvalidRegionError,
)


def call(client: Any, method: str, **parameters: Any) -> Any:
    """
    Call *method* of a botocore client.

    Raises:
        DeployError: what went wrong, in our words.

    """
    try:
        return getattr(client, method)(**parameters)
    except (boto.ClientError, boto.BotoCoreError, ResponseParserError) as error:
        _raise(error, client.meta.service_model.service_name, client.meta.method_to_api_mapping[method])


def is_missing(error: CloudError) -> bool:
    """Whether AWS says that a stack does not exist; it has three wordings for it, and no code of its own."""
    return error.code == "ValidationError" and "does not exist" in str(error)


def _raise(error: Exception, service: str, operation: str) -> NoReturn:
    if isinstance(error, boto.ClientError):
        raise _answered(error, service, operation) from error
    if isinstance(error, _CONNECTION):
        raise Transient(
            f"{service} {operation}: no connection: {said(error)}", operation=operation
        ) from error
    if isinstance(error, ResponseParserError):
        raise Transient(f"{service} {operation}: not an answer of AWS's", operation=operation) from error
    raise _setup(error, service, operation) from error


def setup(error: Exception) -> DeployError:
    """Return what a session that cannot be made means."""
    return _setup(error, "AWS", "login")


def _setup(error: Exception, service: str, operation: str) -> DeployError:
    if isinstance(error, _LOGIN):
        return LostSight(f"the login to AWS is over or cannot be renewed: {said(error)}: log in again")
    if isinstance(error, _SETUP):
        return Refused(f"{said(error)}: set up AWS credentials and region, or name another --profile")
    return CloudError(f"{service} {operation}: {said(error)}", operation=operation)


def _answered(error: boto.ClientError, service: str, operation: str) -> DeployError:
    answer = error.response.get("Error", {})
    code, message = str(answer.get("Code", "")), said(answer.get("Message") or error, most=ANSWER)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    text = f"{service} {operation}: {message} ({code})"
    if code in EXPIRED:
        return LostSight(f"the AWS credentials have expired: log in again ({code})")
    if code in INVALID:
        return LostSight(f"AWS does not know these credentials, or no longer: log in again ({code})")
    if code in DENIED:
        advice = limits(message) or f"grant the permission {_prefix(service)}:{operation}"
        return NotAllowed(f"{text}: {advice}", code=code, operation=operation)
    if code in THROTTLED or (status >= 500 and status != 501):
        return Transient(text, code=code, operation=operation)
    if code == "ValidationError" and "_IN_PROGRESS state" in message:
        return MovedOn(text, code=code, operation=operation)
    return CloudError(text, code=code or str(status), operation=operation)


def _prefix(service: str) -> str:
    return {"monitoring": "cloudwatch", "elasticloadbalancingv2": "elasticloadbalancing"}.get(
        service, service
    )
