"""A temporary warehouse with a catalogue, made by the product's own import and refresh."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from etl.jobs import kaggle, refresh, refresh_plan
from etl.load.migrate import migrate_warehouse
from etl.settings import Settings, read_settings
from launch import postgres
from launch.spark_jars import link_jars
from simulator.jobs import catalogue_files


@contextmanager
def temporary_catalogue(kaggle_path: Path | None, now: datetime) -> Iterator[Settings]:
    """Open a folder and a warehouse with a catalogue; both are removed at the end.

    :param kaggle_path: a folder of Kaggle files; None uses the synthetic catalogue.
    :param now: the time at which the files are received.
    """
    folder = Path(tempfile.mkdtemp())
    link_jars(folder)
    server = postgres.start_server(folder)
    try:
        environ = {**os.environ, "STATE_DIR": str(folder), "WAREHOUSE_URL": server.build_url("loader", "warehouse")}
        environ["KAGGLE_PATH"] = str(kaggle_path or "")
        warehouse_settings = read_settings(environ)
        _load_catalogue(warehouse_settings, now)
        yield warehouse_settings
    finally:
        postgres.remove_servers(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _load_catalogue(warehouse_settings: Settings, now: datetime) -> None:
    migrate_warehouse(warehouse_settings.warehouse_url)
    for path in catalogue_files.find_or_write_files(None, warehouse_settings):
        kaggle.import_file(path, None, warehouse_settings, "catalogue", now)
    refresh_plan.plan_refresh("catalogue", "nightly_refresh", now.date(), False, warehouse_settings)
    refresh.transform_catalogue("catalogue", warehouse_settings)
    refresh.fit_clusters("catalogue", warehouse_settings)
    refresh.load_catalogue("catalogue", warehouse_settings)
