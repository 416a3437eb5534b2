"""External rules on finished templates: cfn-guard's and checkov's, run as programs."""
