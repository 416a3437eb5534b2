"""Quotas of an account: AWS's defaults, how much is used, and what is said of what is too much."""
