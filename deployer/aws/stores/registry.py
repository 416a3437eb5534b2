"""ECR for pushing an image: the environment's repository, and a login for docker."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from deployer.aws.endpoint import ask
from deployer.aws.sign_in.login import Clients
from deployer.errors import CloudError


@dataclass(frozen=True)
class RegistryLogin:
    """What docker is given; the password is good for twelve hours."""

    registry: str
    """``123456789012.dkr.ecr.us-east-1.amazonaws.com``."""
    user: str
    password: str = field(repr=False)


class Registry:
    """The repositories of one account and region."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def place(self, repository: str) -> str | None:
        """Return the address of *repository* for docker; None if it does not exist."""
        try:
            answer = ask(self._clients("ecr"), "describe_repositories", repositoryNames=[repository])
        except CloudError as error:
            if error.code == "RepositoryNotFoundException":
                return None
            raise
        return str(answer["repositories"][0]["repositoryUri"])

    def log_in(self, place: str) -> RegistryLogin:
        """Return a login to the registry of the repository at *place*."""
        answer = ask(self._clients("ecr"), "get_authorization_token")
        token = base64.b64decode(answer["authorizationData"][0]["authorizationToken"]).decode()
        user, _, password = token.partition(":")
        return RegistryLogin(place.partition("/")[0], user, password)
