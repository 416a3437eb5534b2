"""Parts of `image` and `make lock-image`: the base release, and the programs on the PATH."""
