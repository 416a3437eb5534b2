"""Whether quotas allow what is still to be created. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from deployer.day2.verification import Check
from deployer.preflight.account import Limit
from deployer.preflight.demand import Wanted
from deployer.preflight.quota_table import DATABASE, QUOTAS, RDS_CODES, Quota


def needed(found: Sequence[Wanted]) -> tuple[Quota, ...]:
    """Return the quotas that *found* needs anything of: no other has to be asked for."""
    return tuple(one for one in QUOTAS if one.need(found) or (one.most and one.most(found)))


def room(quota: Quota, found: Sequence[Wanted], limit: Limit | None, used: float | None) -> Check:
    """Check one quota; *limit*: the account's, None where AWS's default holds; *used*: None if unknown."""
    most = limit.value if limit else quota.default
    need, later = quota.need(found), quota.most(found) if quota.most else 0
    check = f"quota {quota.words}"
    if (used or 0) + need > most:
        return Check(check, "refused", _told(need, used, most), _raise(quota, (used or 0) + max(need, later)))
    if (used or 0) + later > most:
        text = f"{_told(need, used, most)}; under full load, while a deployment rolls, {later:g}"
        return Check(check, "warning", text, _raise(quota, (used or 0) + later))
    return Check(check, "ok", _told(need, used, most))


def database_room(found: Sequence[Wanted], limits: Mapping[str, tuple[float, float]]) -> Iterator[Check]:
    """Check RDS's own quotas, *limits*: used and most by RDS's names; what it does not tell is left out."""
    for name, (words, measure) in DATABASE.items():
        need = measure(found)
        if not need or name not in limits:
            continue
        used, most = limits[name]
        if used + need <= most:
            yield Check(f"quota {words}", "ok", _told(need, used, most))
            continue
        code = RDS_CODES.get(name)
        remedy = _increase("rds", code, used + need) if code else "ask AWS's support for more, or remove some"
        yield Check(f"quota {words}", "refused", _told(need, used, most), remedy)


def roles_room(found: Sequence[Wanted], limits: Mapping[str, tuple[float, float]]) -> Iterator[Check]:
    """Check IAM's quota of roles."""
    need = sum(one.type == "AWS::IAM::Role" for one in found)
    if need and "Roles" in limits:
        used, most = limits["Roles"]
        outcome = _told(need, used, most)
        if used + need <= most:
            yield Check("quota IAM roles", "ok", outcome)
        else:
            remedy = _increase("iam", "L-FE177D64", used + need)
            yield Check("quota IAM roles", "refused", outcome, f"{remedy} --region us-east-1")


def _told(need: float, used: float | None, most: float) -> str:
    taken = "" if used is None else f"{used:g} of "
    return f"needs {need:g}; {taken}{most:g} {'are taken' if taken else 'are allowed'}"


def _raise(quota: Quota, wanted: float) -> str:
    return _increase(quota.service, quota.code, wanted)


def _increase(service: str, code: str, wanted: float) -> str:
    command = "aws service-quotas request-service-quota-increase"
    return f"`{command} --service-code {service} --quota-code {code} --desired-value {wanted:g}`"
