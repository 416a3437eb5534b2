"""Authorization: policies, the credentials of a request, and the IAM permissions that it needs."""
