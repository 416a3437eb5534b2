"""Replacements for what a sandbox without a gateway does not run: a proxy, a database driver."""
