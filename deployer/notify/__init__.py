"""Notifications of deployments to webhooks: content, format and delivery. A failed one stops nothing."""
