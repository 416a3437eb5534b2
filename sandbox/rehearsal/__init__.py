"""Control of a sandbox beyond AWS's API: existing resources, and changes outside CloudFormation."""
