"""The steps of a Kaggle import: find the files, bring each into the lake."""

import logging
from datetime import datetime
from typing import Any

from etl import warehouse
from etl.config import Settings
from etl.errors import EtlError
from etl.extract import kaggle
from etl.full_disk import explained_full_disk, explains_full_disk
from etl.lake import Lake
from etl.simulate import catalogue

log = logging.getLogger(__name__)

MADE_UP_SEED = 1


@explains_full_disk
def find_files(path: str | None, settings: Settings) -> list[str]:
    """The files to bring in; of an address in KAGGLE_PATH without its query, which may hold a token.

    :param path: a file, a folder or a URL; None takes what KAGGLE_PATH names, else makes up a catalogue.
    :raises WrongFileError: where nothing is there.
    """
    chosen = path or settings.kaggle_path
    if chosen:
        files = kaggle.find_files(chosen)
        return files if path else [kaggle.without_secrets(file) for file in files]
    log.info("KAGGLE_PATH is not set: a made-up catalogue takes the place of Kaggle's files.")
    folder = settings.state_dir / "made_up"
    return [str(file) for file in catalogue.write_catalogue(folder, MADE_UP_SEED)]


def import_file(
    path: str, format_name: str | None, settings: Settings, run_id: str, received_at: datetime
) -> dict[str, Any]:
    """Bring one file into the lake; the audit keeps the sentence of a failure until a later try succeeds.

    :param path: as ``find_files`` gives it.
    :returns: name, format, row_count and input_id of the file.
    :raises EtlError: as ``extract.kaggle.receive_file`` does.
    """
    own = settings.kaggle_path
    place = own if own and path == kaggle.without_secrets(own) else path
    try:
        with explained_full_disk(settings):
            received = kaggle.receive_file(place, format_name, Lake(settings.lake_url), received_at)
    except EtlError as error:
        with warehouse.connect(settings.warehouse_url) as connection:
            warehouse.record_failure(connection, run_id, "kaggle_import", received_at, str(error))
        raise
    with warehouse.connect(settings.warehouse_url) as connection:
        warehouse.take_back_failure(connection, run_id)
    log.info("%s holds %d rows of the format %s.", received.name, received.row_count, received.format)
    return {
        "name": received.name,
        "format": received.format,
        "row_count": received.row_count,
        "input_id": received.input_id,
    }
