"""The only package that calls AWS, through botocore. It takes and returns the deployer's own types."""
