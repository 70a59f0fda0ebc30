"""`python -m forecasting FOLDER`: carry out the request in a folder."""

import os
import sys
from pathlib import Path

_SINGLE_THREADED = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
    "KERAS_BACKEND": "jax",
}
"""Set before numpy and JAX are imported: more threads would change the order of sums, and so the last bits."""


def main(arguments: list[str]) -> int:
    """Return 0, or 1 after one line for the operator on stderr."""
    from forecasting.errors import ForecastError
    from forecasting.run import run_request

    if len(arguments) != 1:
        sys.stderr.write("usage: python -m forecasting FOLDER\n")
        return 1
    try:
        run_request(Path(arguments[0]))
    except ForecastError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


os.environ.update(_SINGLE_THREADED)  # also where Airflow imports this module
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
