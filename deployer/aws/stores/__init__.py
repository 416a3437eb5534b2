"""One class per service for the day-2 commands: secrets, parameters, rotations, services."""
