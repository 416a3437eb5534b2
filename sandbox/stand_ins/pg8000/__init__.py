"""
A PostgreSQL driver without a server, for the processes that run rotation functions only.

Their module path has it before the real one. Only `native.Connection` is replaced; the rest, as quoting, is
the real package's, from wherever the function has it.
"""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)
