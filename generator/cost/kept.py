"""Cost of resources that remain after their stack is deleted, by type and size. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from generator.cost.prices import PriceTable

BY_THE_PIECE: Mapping[str, str] = {
    "AWS::KMS::Key": "kms-key-month",
    "AWS::SecretsManager::Secret": "secret-month",
}
BY_SIZE: Mapping[str, str] = {
    "AWS::RDS::DBCluster": "aurora-backup-gb-month",
    "AWS::RDS::DBInstance": "rds-backup-gb-month",
}
"""Of snapshots: each holds its data at most once over (RDS User Guide, "Managing automated backups")."""


def monthly_usd(type_: str, prices: PriceTable, *, snapshot_gib: int = 0) -> float | None:
    """
    Return what a thing of *type_* costs in a month, at most, in US dollars; None if it depends on use.

    *snapshot_gib*: the size of the database in a snapshot; 0 if unknown.
    """
    if type_ in BY_THE_PIECE:
        return prices.price(BY_THE_PIECE[type_]).usd
    if type_ not in BY_SIZE or not snapshot_gib:
        return None
    each = prices.price(BY_SIZE[type_]).usd
    return None if each is None else round(each * snapshot_gib, 2)
