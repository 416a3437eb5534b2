"""Output of `lint` and `policy`: findings as text, or in a tool's format."""
