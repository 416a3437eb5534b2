"""Validation of what the file says about tasks, other than size: sidecars, permissions, security groups."""
