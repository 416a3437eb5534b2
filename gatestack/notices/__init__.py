"""What commands tell the webhooks of `deployment.notify`."""
