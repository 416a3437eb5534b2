"""Notifications of deployments: what is said in which form, and to whom; one that fails stops nothing."""
