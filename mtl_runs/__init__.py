"""Train multi-task networks with any balancer, many at once, and log every epoch."""

import os

# MKL's products otherwise depend in their last bits on where in memory a matrix lies, and with it on who stands beside
# a run in its population. Read when MKL is first used; where torch comes without MKL it means nothing.
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")
