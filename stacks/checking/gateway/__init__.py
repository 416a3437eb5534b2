"""What LiteLLM's sign-on and its record of requests must agree on with the rest."""
