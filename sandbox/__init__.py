"""An AWS account on this machine: CloudFormation as AWS runs it, in front of moto's other services.

`cloudformation/` is the control plane (`control.py` names the actions of the API), `resources/` makes what
stacks hold, `provisioning.py` is the seam between them, `server.py` serves both on one loopback endpoint.
`stand_ins/` is what functions meet that run here: Lambda's runtime, a database driver, LiteLLM.
Time is an object (`clock.py`), failures are settings (`faults.py`). The package knows nothing of the stacks,
the generator or the deployer, and they nothing of it: they reach it by its endpoint.
"""
