"""
What a plan means, computed once for all outputs: text, JSON, Markdown, the HTML page, deploy's prompt.

Pure. `summary` combines it; `differences`, `interruptions`, `permissions` and `uploads` each compute one kind
of fact.
"""
