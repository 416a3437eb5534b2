"""What `image` and `make lock-image` build on: the base release, and the programs on the PATH."""
