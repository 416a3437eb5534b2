"""What `setup` asks, and the environment file that its answers make."""
