"""Who is logged in: the chain of credentials, what is wrong with it, the clients of one login."""
