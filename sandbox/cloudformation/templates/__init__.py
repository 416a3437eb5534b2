"""Templates: read, their parameters and references, and their functions resolved."""
