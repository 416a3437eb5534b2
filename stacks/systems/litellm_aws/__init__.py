"""
What LiteLLM's config.yaml makes it call of AWS's.

Every section of it that does is read here and nowhere else. Source: litellm 1.93.0, read 2026-11-28; each
module names the files. Models that people add in the admin UI are in the database and out of reach: those
are what `service.bedrock_models` is for.
"""
