"""Requests to servers that are not AWS: a pull request's comments, and where notifications go."""
