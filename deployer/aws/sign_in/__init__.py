"""Credentials: the provider chain, what is wrong with it, and the clients of one login."""
