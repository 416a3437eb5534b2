"""Tasks of ECS as processes of this machine."""
