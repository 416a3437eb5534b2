"""CloudFormation's control plane: the behavior of stacks and change sets. Independent of AWS services."""
