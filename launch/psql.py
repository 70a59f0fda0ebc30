"""bin/psql: psql on the warehouse."""

import sys

from etl.errors import EtlError
from launch.console import Screen
from launch.warehouse_client import client_environment, run_client, warehouse_url


def main(arguments: list[str]) -> int:
    """Run psql with its own ``arguments``.

    :returns: psql's exit code; 1 where the embedded server cannot be started.
    """
    try:
        with warehouse_url() as url, client_environment(url) as environ:
            return run_client("psql", arguments, environ)
    except EtlError as error:
        Screen().complain(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
