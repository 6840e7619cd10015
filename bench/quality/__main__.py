"""See `bench.quality`."""

import os

# One thread for everybody, before anything that counts is imported.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

from bench.quality.command import main

main()
