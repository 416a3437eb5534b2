"""An AWS account on this machine: an emulated CloudFormation in front of moto's other services.

`cloudformation/` is the control plane (`control.py` names the actions of the API), `resources/` creates the
resources of stacks, `provisioning.py` is the interface between them, `server.py` serves both on one loopback
endpoint. `stand_ins/` replaces what functions need here: Lambda's runtime, a database driver, LiteLLM. Time
is an object (`clock.py`), failures are settings (`faults.py`). The package does not import the stacks, the
generator or the deployer, nor they it: they use its endpoint.
"""
