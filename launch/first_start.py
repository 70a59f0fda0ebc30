"""The first start where Airflow's components run elsewhere, as in containers: import, refresh, simulate, report."""

from contextlib import ExitStack

from etl import database
from launch.airflow_api import AirflowApi
from launch.airflow_components import Airflow
from launch.console import Screen
from launch.environment import get_state_dir
from launch.run import IMPORT_DAG, REFRESH_DAG, ProductStart
from launch.spotify import ensure_spotify_pools

_READY_SECONDS = 600
_DAGS = (IMPORT_DAG, REFRESH_DAG)


def run_first_start(environ: dict[str, str], api: AirflowApi) -> int:
    """Do what ``bin/run --exit`` does, with running components, unless the warehouse has been published before.

    :returns: 0 if everything succeeded or nothing was to be done, else 1.
    :raises EtlError: if the warehouse or Airflow cannot be reached.
    """
    if is_published(environ["WAREHOUSE_URL"]):
        Screen().print_line("The warehouse has been refreshed before: the schedule of nightly_refresh continues.")
        return 0
    with ExitStack() as stack:
        return _RemoteStart(Screen(), environ, api, stack).run()


def prepare_scheduling(environ: dict[str, str], api: AirflowApi) -> None:
    """Do what must be done before a scheduler starts: create pools, and pause the refresh until the first start.

    The scheduler would start a refresh at once, before the first start has imported anything.

    :raises EtlError: if the warehouse or Airflow cannot be reached, or the DAGs are not parsed within minutes.
    """
    ensure_spotify_pools(api, environ)
    if is_published(environ["WAREHOUSE_URL"]):
        return
    Airflow(get_state_dir(), environ, api).wait_until_parsed(_DAGS, _READY_SECONDS)
    if not api.list_run_ids(REFRESH_DAG):  # the runs of a paused DAG do not go on
        api.set_paused(REFRESH_DAG, True)


def is_published(url: str) -> bool:
    """Return whether a refresh has been published; other DAGs also publish into an empty warehouse."""
    statement = """
        select exists (
            select from audit.run where result = 'published' and starts_with(run_id, :prefix)
        ) as is_published
    """
    with database.connect(url) as connection:
        return bool(database.fetch_rows(connection, statement, prefix=f"{REFRESH_DAG}.")[0]["is_published"])


class _RemoteStart(ProductStart):
    """A start whose services run already."""

    def __init__(self, screen: Screen, environ: dict[str, str], api: AirflowApi, stack: ExitStack) -> None:
        super().__init__(screen, get_state_dir(), stack, is_exit_requested=True, has_streams=False)
        self._environ = environ
        self._airflow = Airflow(get_state_dir(), environ, api)

    def _check_preconditions(self) -> None:
        """Check nothing: each service has checked what it needs."""

    def _start_services(self) -> None:
        """Start nothing: the services run already."""

    def _start_airflow(self) -> None:
        """Wait until the DAGs can be started."""
        with self._screen.show_step("Airflow"):
            self._airflow.wait_until_parsed(_DAGS, _READY_SECONDS)
        # The refresh waits for the import.
        self._airflow.api.set_paused(REFRESH_DAG, True)
        self._airflow.api.set_paused(IMPORT_DAG, False)
