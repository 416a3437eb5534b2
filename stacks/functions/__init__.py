"""The code of the rotation functions, as Lambda runs it: knows AWS and PostgreSQL, and no builder."""
