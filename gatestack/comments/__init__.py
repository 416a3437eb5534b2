"""The plan as a comment of a pull request, one for each environment, kept up to date."""
