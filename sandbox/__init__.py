"""An AWS account on this machine: CloudFormation as AWS runs it, in front of moto's other services.

`control.py` names the actions of the API, `server.py` serves them on one loopback endpoint, `provisioning.py` is
the seam to what resources become. Time is an object (`clock.py`) and failures are settings (`faults.py`).
The package knows nothing of the stacks, the generator or the deployer; they reach it by endpoint only.
"""
