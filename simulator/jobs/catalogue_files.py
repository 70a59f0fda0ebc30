"""The Kaggle files of an import, or the files of a synthetic catalogue in their place."""

import logging

from etl.jobs import kaggle
from etl.settings import Settings
from etl.storage.full_disk import report_full_disk
from simulator import synthetic_catalogue

log = logging.getLogger(__name__)

SYNTHETIC_SEED = 1


@report_full_disk
def find_or_write_files(path: str | None, settings: Settings) -> list[str]:
    """Return the files to import; write a synthetic catalogue if neither ``path`` nor KAGGLE_PATH names any.

    :param path: a file, a folder or a URL; None takes KAGGLE_PATH.
    :raises WrongFileError: if the path does not exist or contains no file.
    """
    files = kaggle.find_files(path, settings)
    if files:
        return files
    log.info("KAGGLE_PATH is not set: a synthetic catalogue takes the place of Kaggle's files.")
    folder = settings.state_dir / "made_up"
    return [str(file) for file in synthetic_catalogue.write_catalogue(folder, SYNTHETIC_SEED)]
