"""
Database Insights: AWS's record of a database's load, waits and queries.

Its counters are Performance Insights, whose own console pages AWS ended in 2026; the properties keep that
name. The advanced mode requires them, for 465 days or more, which then cost nothing beyond the mode itself;
with Aurora the mode is the cluster's, and its instances inherit it. Sources, read 2026-11-28: Amazon RDS and
Aurora User Guide, "Considerations for Database Insights"; RDS API Reference, CreateDBInstance and
ModifyDBCluster, DatabaseInsightsMode.
"""

from __future__ import annotations

from troposphere.rds import DBCluster, DBInstance

from stacks.wiring import Stack

DAYS = {"standard": 7, "advanced": 465}
"""Days kept at no extra charge, by mode."""


def watch(stack: Stack, instance: DBInstance) -> None:
    """Turn the counters on for *instance*, if the file asks for it; outside a cluster it has the mode too."""
    database = stack.settings.database
    if not database.aurora:
        instance.DatabaseInsightsMode = database.insights
    instance.EnablePerformanceInsights = database.performance_insights
    if database.performance_insights:
        instance.PerformanceInsightsKMSKeyId = stack.imported("security", "KmsKeyArn")
        instance.PerformanceInsightsRetentionPeriod = DAYS[database.insights]


def watch_cluster(stack: Stack, cluster: DBCluster) -> None:
    """
    Give *cluster* the mode of its instances; the advanced one needs the counters turned on here as well.
    """
    cluster.DatabaseInsightsMode = stack.settings.database.insights
    if stack.settings.database.insights == "advanced":
        cluster.PerformanceInsightsEnabled = True
        cluster.PerformanceInsightsKmsKeyId = stack.imported("security", "KmsKeyArn")
        cluster.PerformanceInsightsRetentionPeriod = DAYS["advanced"]
