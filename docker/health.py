"""Check the health of an Airflow component: ``python docker/health.py PART`` exits with 0 if it is healthy, else 1.

PART is metadatabase, dag_processor, scheduler or triggerer, as the API server names them. A component is not healthy
while the API server does not respond: no task can run then.
"""

import sys

from launch.airflow_api import AirflowApi

_URL = "http://api-server:8080"


def main(component: str, url: str = _URL) -> int:
    """Ask the API server at ``url`` for the health of ``component``; this needs no login."""
    status = AirflowApi(url, "", "").get_health().get(component, "unknown")
    sys.stdout.write(f"{component}: {status}\n")
    return 0 if status == "healthy" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
