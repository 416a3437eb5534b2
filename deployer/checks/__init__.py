"""Checks that what an environment depends on exists as expected. Read-only; does not use botocore."""
