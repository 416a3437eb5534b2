"""Stores of one service each, as commands of day two need them: secrets, parameters, rotations, services."""
