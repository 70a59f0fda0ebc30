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
    path: str,
    format_name: str | None,
    settings: Settings,
    run_id: str,
    received_at: datetime,
    encoding: str | None = None,
) -> dict[str, Any]:
    """Bring one file, or the files of one archive, into the lake.

    The audit keeps the message of a failure until a later try succeeds.

    :param path: as ``find_files`` gives it.
    :param encoding: of text that is no Unicode; None guesses it.
    :returns: name, format, row_count and input_id of the file, of several joined by commas; and remarks, which say in
        sentences what was guessed or left out.
    :raises EtlError: as ``extract.kaggle.receive_files`` does.
    """
    own = settings.kaggle_path
    place = own if own and path == kaggle.without_secrets(own) else path
    try:
        with explained_full_disk(settings):
            arrival = kaggle.receive_files(place, format_name, Lake(settings.lake_url), received_at, encoding)
    except EtlError as error:
        with warehouse.connect(settings.warehouse_url) as connection:
            warehouse.record_failure(connection, run_id, "kaggle_import", received_at, str(error))
        raise
    with warehouse.connect(settings.warehouse_url) as connection:
        warehouse.take_back_failure(connection, run_id)
    for received in arrival.inputs:
        log.info("%s holds %d rows of the format %s.", received.name, received.row_count, received.format)
    remarks = [f"{received.name}: {remark}" for received in arrival.inputs for remark in received.remarks]
    return {
        "name": ", ".join(received.name for received in arrival.inputs),
        "format": ", ".join(received.format for received in arrival.inputs),
        "row_count": sum(received.row_count for received in arrival.inputs),
        "input_id": ", ".join(received.input_id for received in arrival.inputs),
        "remarks": remarks,
    }
