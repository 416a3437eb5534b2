"""The plan as a pull request comment, one per environment, kept up to date."""
