"""
The AWS calls that LiteLLM makes because of its config.yaml.

Every section that implies a call is read here and nowhere else. Source: litellm 1.93.0, read 2026-11-28; each
module names the files. Models that people add in the admin UI are in the database and cannot be read:
`service.bedrock_models` is for those.
"""
