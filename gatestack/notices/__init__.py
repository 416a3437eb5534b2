"""Notifications of commands to the webhooks of `deployment.notify`."""
