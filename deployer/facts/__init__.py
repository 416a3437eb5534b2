"""
What a plan means, worked out once: text, JSON, Markdown, the page and deploy's question all draw on it.

Pure. `summary` puts it together; `differences`, `interruptions`, `permissions` and `uploads` each decide one
kind of fact.
"""
