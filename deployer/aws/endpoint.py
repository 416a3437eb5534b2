"""What an endpoint is: AWS, or something that speaks its protocol and may lack whole services."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from deployer.aws.drift import unknown_call
from deployer.aws.errors import call
from deployer.errors import CloudError, NotOffered, Transient

AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


def emulated(client: Any) -> bool:
    """Whether a botocore client speaks to something that is not AWS."""
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    return not host.endswith(AWS)


def ask(client: Any, method: str, **parameters: Any) -> Any:
    """
    Call *method* of a botocore client.

    Raises:
        NotOffered: an emulated endpoint does not know the call at all.
        DeployError: anything else that went wrong, in our words.

    """
    try:
        return call(client, method, **parameters)
    except CloudError as error:
        if emulated(client) and _unknown(error):
            service = client.meta.service_model.service_name
            raise NotOffered(f"this endpoint has no {service}", operation=error.operation) from error
        raise


def _unknown(error: CloudError) -> bool:
    """Whether the answer is no error of the service's own: none of its codes, or nothing that can be read."""
    unreadable = isinstance(error, Transient) and "not an answer of AWS's" in str(error)
    return unreadable or unknown_call(error) or error.code.isdigit()
