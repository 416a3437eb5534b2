"""What CloudFormation's own events say of the past. Pure; keeps no state of its own."""
