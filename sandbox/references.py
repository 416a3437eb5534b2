"""PLACEHOLDER. The provisioning helper overwrote this file by accident at 00:00:31 (it used the same name for its own).

Its owner (the control plane's helper) must write it again: `dependencies`, `SUBSTITUTION`, `attribute_of`, …
It could not be recovered (untracked, no bytecode). The provisioning side's module is `dynamic_values.py` and never
touches this one again.
"""

raise ImportError(
    "sandbox/references.py was overwritten by accident by the provisioning helper at 00:00:31: please write it again"
)
