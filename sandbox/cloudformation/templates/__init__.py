"""Templates: parsing, parameters and references, and evaluation of functions."""
