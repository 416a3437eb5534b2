"""Commands that make the sandbox fail."""
