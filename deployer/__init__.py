"""
HOW it is deployed: turns a built manifest into CloudFormation stacks. Prints nothing.

Data flow: manifest -> graph -> (observe -> decide -> act)* -> result. `deployer.cloud` is the interface to
AWS; `deployer.progress` has the events and the result of a run.
"""
