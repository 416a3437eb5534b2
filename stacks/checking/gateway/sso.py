"""Single sign-on: required keys, settings that admit everybody or nobody, and duplicate settings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stacks import task_secrets
from stacks.checking.problems import Finding, Place
from stacks.settings import Settings
from stacks.systems import application, litellm_sso

LICENSE = "LITELLM_LICENSE"
FREE_PEOPLE = 5
"""People whom LiteLLM lets sign in without a licence (1.93.0, ui_sso.py, google_login, read 2026-11-28)."""


def sso_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong between the keys of `sso`, and between them and others."""
    if settings.sso.provider is None:
        yield from _without_a_provider(settings)
        return
    yield from _keys(settings, settings.sso.provider)
    yield from _roles(settings)
    yield from _address(settings)
    yield from _one_process(settings)
    yield from _said_twice(settings)


def _said(settings: Settings) -> tuple[str, ...]:
    empty: tuple[object, ...] = (None, (), {})
    values = settings.sso.model_dump()
    return tuple(key for key, value in values.items() if key != "provider" and value not in empty)


def _without_a_provider(settings: Settings) -> Iterator[Finding]:
    for key in _said(settings):
        message = "says nothing without sso.provider: microsoft, google, okta or generic; add that"
        yield Finding(f"sso.{key}", message, ("sso.provider",))


def _keys(settings: Settings, provider: str) -> Iterator[Finding]:
    said, also = _said(settings), ("sso.provider",)
    missing = [key for key in litellm_sso.NEEDED[provider] if key not in said]
    if missing:
        why = "; any Google account could sign in" if "allowed_email_domains" in missing else ""
        message = f"{provider} needs {' and '.join(f'sso.{key}' for key in missing)}{why}"
        yield Finding("sso.provider", message, tuple(f"sso.{key}" for key in missing))
    known = {**litellm_sso.OWN[provider], **litellm_sso.EVERY}
    for key in said:
        if key not in known:
            takers = [name for name, keys in litellm_sso.OWN.items() if key in keys]
            yield Finding(f"sso.{key}", f"only {' and '.join(takers)} can have it; remove it", also)


def _roles(settings: Settings) -> Iterator[Finding]:
    sso = settings.sso
    if sso.roles and not sso.group_claim:
        message = "LiteLLM does not know where a person's groups are; add sso.group_claim"
        yield Finding("sso.roles", message, ("sso.group_claim",))
    for key, value in (("group_claim", sso.group_claim), ("default_role", sso.default_role)):
        if value and not sso.roles:
            yield Finding(f"sso.{key}", "no group has a role; add sso.roles", ("sso.roles",))


def _address(settings: Settings) -> Iterator[Finding]:
    alb, also = settings.alb, ("alb.domain_name", "alb.certificate_arn", "alb.hosted_zone_id")
    if not alb.domain_name:
        message = (
            "the provider sends people back to https://<domain>/sso/callback; add alb.domain_name with "
            "alb.hosted_zone_id, or with alb.certificate_arn"
        )
        yield Finding("sso.provider", message, also)
    if settings.closed:
        message = (
            "LiteLLM asks the provider for each sign-in, over the internet, and network.nat_gateways: 0 "
            "leaves it no way there; write 1 or 2, or remove sso"
        )
        yield Finding("sso.provider", message, ("network.nat_gateways", "network.existing_vpc"))


def _one_process(settings: Settings) -> Iterator[Finding]:
    """LiteLLM keeps the verifier of PKCE in Redis, else in the process that began (ui_sso.py)."""
    service = settings.service
    processes = service.max_tasks * service.workers
    if litellm_sso.asks_with_pkce(settings) and processes > 1 and not settings.cache.used:
        message = (
            f"with PKCE a person has to come back to the process that sent them, and there are up to "
            f"{processes}; add cache.enabled: true, or pkce: false where the provider does not ask for it"
        )
        also = ("sso.provider", "service.max_tasks", "service.workers", "cache")
        yield Finding("sso.pkce", message, also)


def _said_twice(settings: Settings) -> Iterator[Finding]:
    own = litellm_sso.variables(settings)
    for key, below, variable in _variables(settings):
        there = litellm_sso.READ_BY_LITELLM.get(variable)
        if variable == "PROXY_BASE_URL":
            message = "follows from alb.domain_name where there is sso; remove it here"
        elif there and (variable in own or not variable.endswith("_CLIENT_ID")):
            message = f"is what sso.{there} is for; say it there, and remove it here"
        elif there:
            message = "is another provider's, and LiteLLM asks one alone; remove it, or change sso.provider"
        else:
            continue
        yield Finding(key, message if variable in below else f"{variable} {message}", ("sso",), below)


def _variables(settings: Settings) -> Iterator[tuple[str, Place, str]]:
    """Yield key, place below it and name of the variables that the file gives to tasks or LiteLLM."""
    service = settings.service
    in_config = service.config.get("environment_variables")
    plain: Mapping[str, Mapping[str, object]] = {
        "service.environment": service.environment,
        "service.environment_from": service.environment_from,
    }
    for key, names in plain.items():
        yield from ((key, (name,), name) for name in names)
    # What gatestack sets itself is refused there already.
    own, variable_of = litellm_sso.variables(settings), application(settings.system).variable_of
    injected: tuple[tuple[str, str | int, str], ...] = (
        *(("service.secrets", index, name) for index, name in enumerate(service.secrets)),
        *(("service.secrets_from", name, name) for name in service.secrets_from),
        *(("service.parameters", name, variable_of(name)) for name in service.parameters),
    )
    yield from ((key, (below,), name) for key, below, name in injected if name not in own)
    for name in in_config if isinstance(in_config, Mapping) else ():
        yield "service.config", ("environment_variables", str(name)), str(name)


def sso_advice(settings: Settings) -> Iterator[str]:
    """Yield what is to be done at the provider, and who cannot sign in."""
    sso = settings.sso
    if sso.provider is None:
        return
    title = litellm_sso.TITLES[sso.provider]
    uri = litellm_sso.redirect_uri(settings)
    yield f"sso.provider: register the redirect URI {uri} at {title}, for the client of sso.client_id"
    if LICENSE not in task_secrets.injected(settings):
        yield (
            f"sso.provider: LiteLLM lets {FREE_PEOPLE} people sign in without a licence; with more it wants "
            f"one: name {LICENSE} in service.secrets"
        )
    general = settings.service.config.get("general_settings")
    mode = general.get("ui_access_mode") if isinstance(general, Mapping) else None
    if mode == "admin_only" and not sso.admin_id and not sso.roles:
        yield (
            "sso.provider: general_settings.ui_access_mode is admin_only, and the file makes nobody an "
            "administrator: sso.admin_id or sso.roles does, unless the provider sends the role proxy_admin"
        )
