"""What a security reviewer measures the templates by, and what is accepted with a reason."""
