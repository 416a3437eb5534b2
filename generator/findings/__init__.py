"""Findings about templates, by whoever's rules: where a person corrects them, and the forms tools read."""
