"""The command line: the only package that imports generator and deployer. A command returns its exit code."""
