"""A team's own repository: what `init` writes. `shipped` is the project's image/ and pipelines/, by links."""
