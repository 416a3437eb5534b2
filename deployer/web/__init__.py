"""HTTP requests to servers other than AWS: pull request comments, and notification webhooks."""
