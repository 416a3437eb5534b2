"""The images that the sandbox can run as local programs."""

IMAGES = ("ghcr.io/berriai/litellm", "ghcr.io/berriai/litellm-database")
"""LiteLLM's published images, whose entry point is `litellm` (its Dockerfiles, read 2026-11-28)."""
OWN = "docker/prod_entrypoint.sh"
"""Their entry point, which runs `litellm` with its arguments."""
