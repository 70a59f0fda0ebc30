"""A warehouse of its own with a catalogue in it, by the product's own import and refresh."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from etl.config import Settings, settings
from etl.jobs import kaggle, refresh
from etl.load.migrate import migrate
from launch import postgres
from launch.jars import lend_jars


@contextmanager
def catalogue(kaggle_path: Path | None, now: datetime) -> Iterator[Settings]:
    """A place whose warehouse has a catalogue; gone afterwards.

    :param kaggle_path: a folder of Kaggle files; without it the made-up catalogue.
    :param now: when the files came in.
    """
    folder = Path(tempfile.mkdtemp())
    lend_jars(folder)
    server = postgres.start(folder)
    try:
        environ = {**os.environ, "STATE_DIR": str(folder), "WAREHOUSE_URL": server.url("loader", "warehouse")}
        environ["KAGGLE_PATH"] = str(kaggle_path or "")
        place = settings(environ)
        _fill(place, now)
        yield place
    finally:
        postgres.remove(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _fill(place: Settings, now: datetime) -> None:
    migrate(place.warehouse_url)
    for path in kaggle.find_files(None, place):
        kaggle.import_file(path, None, place, "catalogue", now)
    refresh.plan_refresh("catalogue", "nightly_refresh", now.date(), False, place)
    refresh.transform_catalogue("catalogue", place)
    refresh.fit_clusters("catalogue", place)
    refresh.load_catalogue("catalogue", place)
