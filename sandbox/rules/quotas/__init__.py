"""Quotas of an account: AWS's defaults, current usage, and the error where one is exceeded."""
