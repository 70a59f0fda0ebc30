"""Fetch Spark's jars while the image is built: ``python docker/fetch_jars.py FOLDER``."""

import os
import sys
from pathlib import Path

from etl.errors import EtlError
from launch.spark_jars import fetch_image_jars


def main(folder: str) -> int:
    """Fetch the jars into ``folder``; return 0, or 1 after an error message."""
    target = Path(folder).resolve()
    target.mkdir(parents=True, exist_ok=True)
    environ = {**os.environ, "STATE_DIR": str(target), "AIRFLOW_HOME": str(target)}
    try:
        fetch_image_jars(target, environ)
    except EtlError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
