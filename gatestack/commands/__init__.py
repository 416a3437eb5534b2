"""The commands, one file each; they combine generator and deployer. Each returns an exit code."""
