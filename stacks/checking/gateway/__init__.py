"""Consistency of LiteLLM's single sign-on and prompt logs with the other keys."""
