"""Exports in use: what a deployment would break, and the passes in which it breaks nothing."""
