"""Whether Airflow calls a part of itself healthy: ``python docker/health.py PART``, 0 for yes and 1 for no.

PART is metadatabase, dag_processor, scheduler or triggerer, as the API server names them. A part is not healthy while
the API server does not answer: no task can run then.
"""

import sys

from launch.airflow_api import AirflowApi

_URL = "http://api-server:8080"


def main(component: str, url: str = _URL) -> int:
    """Ask the API server at ``url`` about ``part``; its health is told without a login."""
    status = AirflowApi(url, "", "").get_health().get(component, "unknown")
    sys.stdout.write(f"{component}: {status}\n")
    return 0 if status == "healthy" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
