"""
HOW it is deployed: a reconciler from a built manifest to CloudFormation stacks. Prints nothing.

One way for the data: manifest -> graph -> (look -> decide -> act)* -> result. What the cloud is, in our
words, is in `deployer.cloud`; what a run says while it goes on and at its end is in `deployer.progress`.
"""
