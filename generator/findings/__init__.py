"""Findings about templates, from any tool: the line to correct, and output formats for tools."""
