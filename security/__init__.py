"""Security scans of the templates, and findings that are accepted with a reason."""
