"""What the ways to sign in share on the sandbox: deployments, and the secret of an identity provider."""

from __future__ import annotations

import json

from tests.command import User

DOMAIN = "alb:\n  domain_name: llm.example.com\n  hosted_zone_id: Z0123456789ABCDEFGHIJ\n"
VALUE = "a~B8Q.made-up-0123456789"


def with_sections(user: User, sections: str) -> User:
    """Return *user*, whose environment `local` has a domain and *sections*."""
    user.edit("local", "service:\n", f"{DOMAIN}{sections}service:\n")
    return user


def deployed(user: User, *arguments: str) -> dict[str, dict[str, str]]:
    """Deploy `local`, and return the outputs of its stacks."""
    done = user.run("deploy", "local", "--yes", "--format", "json", *arguments)
    assert done.code == 0, done.err
    found: dict[str, dict[str, str]] = json.loads(done.out)["outputs"]
    return found


def put_in(user: User, secret: str, place: str) -> str:
    """Set *secret* to `VALUE`, which is reported as missing until then; return the command's output."""
    told = user.run("verify", "local")
    assert f"{secret} of local-litellm/{place}/{secret} is still the placeholder" in told.out
    assert f"`gatestack secret set local {secret}`" in told.err
    assert f"\n{secret}  placeholder" in user.run("secret", "list", "local").out
    done = user.run("secret", "set", "local", secret, stdin=f"{VALUE}\n")
    assert done.code == 0, done.err
    assert VALUE not in done.out + done.err
    assert f"{secret} of" not in user.run("verify", "local").out
    assert user.run("secret", "get", "local", secret, "--reveal").out.strip() == VALUE
    return done.err
