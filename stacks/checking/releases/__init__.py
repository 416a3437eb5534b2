"""What is known against a release, and when AWS ends the support of a version: tables and decisions. Pure."""
