"""A team's own repository, which `init` writes. `shipped` links to the project's image/ and pipelines/."""
