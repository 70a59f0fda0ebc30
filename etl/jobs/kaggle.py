"""The steps of a Kaggle import: find the files, and bring each into the lake."""

import logging
from datetime import datetime
from typing import Any

from etl import database
from etl.errors import EtlError
from etl.extract import kaggle, source_files
from etl.settings import Settings
from etl.storage.full_disk import explain_full_disk, report_full_disk
from etl.storage.lake import Lake

log = logging.getLogger(__name__)


@report_full_disk
def find_files(path: str | None, settings: Settings) -> list[str]:
    """Return the files to import. A URL from KAGGLE_PATH comes without its query, which may contain a token.

    :param path: a file, a folder or a URL; None: the value of KAGGLE_PATH.
    :returns: an empty list if both are missing.
    :raises WrongFileError: if the path has no file.
    """
    chosen_path = path or settings.kaggle_path
    if not chosen_path:
        return []
    files = source_files.find_files(chosen_path)
    return files if path else [source_files.remove_secrets(file) for file in files]


def import_file(
    path: str,
    format_name: str | None,
    settings: Settings,
    run_id: str,
    received_at: datetime,
    encoding: str | None = None,
) -> dict[str, Any]:
    """Bring one file, or the files of one archive, into the lake.

    The audit stores the message of a failure until a later try succeeds.

    :param path: a file as ``find_files`` returns it.
    :param encoding: the encoding of text that is not Unicode; None: it is guessed.
    :returns: name, format, row_count and input_id of the file, joined by commas for several files; and remarks about
        guesses and omissions.
        about what was guessed or skipped.
    :raises EtlError: as ``extract.kaggle.receive_files`` does.
    """
    configured_path = settings.kaggle_path
    file_path = configured_path if configured_path and path == source_files.remove_secrets(configured_path) else path
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
        log.info("%s has %d rows of the format %s.", received.name, received.row_count, received.format)
    remarks = [f"{received.name}: {remark}" for received in arrival.inputs for remark in received.remarks]
    return {
        "name": ", ".join(received.name for received in arrival.inputs),
        "format": ", ".join(received.format for received in arrival.inputs),
        "row_count": sum(received.row_count for received in arrival.inputs),
        "input_id": ", ".join(received.input_id for received in arrival.inputs),
        "remarks": remarks,
    }
