"""Who may do what: policies, whose credentials a request bears, and what a request asks IAM for."""
