"""What the keys of the load balancer take, and what they must agree on."""
