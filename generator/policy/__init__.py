"""Rules of others over finished templates: cfn-guard's and checkov's, by their own programs."""
