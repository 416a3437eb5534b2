"""What the sandbox puts in the place of things that nobody runs on it: a proxy, a database driver."""
