"""`--help`: commands by purpose, options by purpose, and examples."""
