"""The steps of a Kaggle import: find the files, bring each into the lake."""

import logging
from datetime import datetime
from typing import Any

from etl import database
from etl.errors import EtlError
from etl.extract import kaggle
from etl.settings import Settings
from etl.storage.full_disk import explain_full_disk, report_full_disk
from etl.storage.inputs import Lake

log = logging.getLogger(__name__)


@report_full_disk
def find_files(path: str | None, settings: Settings) -> list[str]:
    """The files to bring in; of an address in KAGGLE_PATH without its query, which may hold a token.

    :param path: a file, a folder or a URL; None takes what KAGGLE_PATH names.
    :returns: no file if neither names one.
    :raises WrongFileError: if nothing is there.
    """
    chosen_path = path or settings.kaggle_path
    if not chosen_path:
        return []
    files = kaggle.find_files(chosen_path)
    return files if path else [kaggle.remove_secrets(file) for file in files]


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
    configured_path = settings.kaggle_path
    file_path = configured_path if configured_path and path == kaggle.remove_secrets(configured_path) else path
    try:
        with explain_full_disk(settings):
            arrival = kaggle.receive_files(file_path, format_name, Lake(settings.lake_url), received_at, encoding)
    except EtlError as error:
        with database.connect(settings.warehouse_url) as connection:
            database.record_failure(connection, run_id, "kaggle_import", received_at, str(error))
        raise
    with database.connect(settings.warehouse_url) as connection:
        database.delete_failure(connection, run_id)
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
