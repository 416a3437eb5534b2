"""
The PostgreSQL driver without a server: for the processes that run rotation functions, and nobody else.

Found there before the real one. Only `native.Connection` is made up; the rest, as quoting, is the real
package's, from wherever the function has it.
"""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)
