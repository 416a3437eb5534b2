"""ECS tasks as local processes."""
