"""CloudFormation's control plane: what stacks and change sets are, do and answer. Knows no AWS service."""
