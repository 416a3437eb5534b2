"""What `--help` shows: commands by purpose, options by purpose, and examples."""
