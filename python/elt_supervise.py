"""`python -I -S elt_supervise.py STEP_DIR ARGV…`: a script is compiled each time it is started, a module once."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import elt_supervisor  # noqa: E402 (found by the line above)

elt_supervisor.main(sys.argv[1], sys.argv[2:])
