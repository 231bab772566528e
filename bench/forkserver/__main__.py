"""`python -m feedbench.bench.forkserver`."""

import sys

from feedbench.bench.forkserver.server import main

main(sys.argv[1:])
