"""Validation of the load balancer's keys: types of values, and consistency."""
