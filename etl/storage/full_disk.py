"""The message about a full disk, with the free space of each disk, for every job that meets one."""

import errno
import inspect
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar
from urllib.parse import unquote, urlsplit

from etl.errors import ActionNeededError, EtlError, TryAgainError
from etl.settings import Settings

_ERROR_CODES = (errno.ENOSPC, errno.EDQUOT)
_ERROR_MESSAGES = ("No space left on device", "Disk quota exceeded", "database or disk is full")
"""Messages of Java, Arrow and SQLite, whose errors have no code."""
_MIB_SHIFT = 20
_MINIMUM_FREE_BYTES = 16 << _MIB_SHIFT
"""PostgreSQL's write-ahead log grows by segments of this size."""

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


@contextmanager
def explain_full_disk(settings: Settings) -> Iterator[None]:
    """Replace an error that a full disk caused by one whose message names the disk.

    :param settings: with the folders that the job writes to.
    :raises ActionNeededError: in place of the error.
    """
    try:
        yield
    except Exception as error:
        if not (is_full_disk(error) or _is_caused_by_low_space(error, settings)):
            raise
        raise ActionNeededError(build_message(settings)) from error


def report_full_disk(job: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Run a job within ``explain_full_disk``.

    :param job: a function with a parameter ``settings``.
    """
    signature = inspect.signature(job)

    @wraps(job)
    def run_job(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        with explain_full_disk(signature.bind(*args, **kwargs).arguments["settings"]):
            return job(*args, **kwargs)

    return run_job


def is_full_disk(error: BaseException) -> bool:
    """Return whether a full disk of this machine caused an error; the disk of a PostgreSQL server does not count."""
    causes = list(_iterate_causes(error))
    if any(isinstance(cause, OSError) and cause.errno in _ERROR_CODES for cause in causes):
        return True
    # An EtlError already has a message about its cause.
    return not isinstance(error, EtlError) and any(words in str(cause) for cause in causes for words in _ERROR_MESSAGES)


def build_message(settings: Settings) -> str:
    """Return a message with the full disk, of those that jobs write to, and the remedy."""
    (free_bytes, disk_name, path), *other_disks = _measure_free_space(settings)
    suffix = "".join(f"; {name} {size >> _MIB_SHIFT:,} MiB" for size, name, _ in other_disks)
    return (
        f"The disk of {path} is full: {free_bytes >> _MIB_SHIFT:,} MiB are free ({disk_name}{suffix}). Make room there,"
        " then run the step again; published data is unchanged."
    )


def _is_caused_by_low_space(error: Exception, settings: Settings) -> bool:
    """Return whether a temporary failure is due to a full disk: PostgreSQL exits without a message if it cannot log."""
    return isinstance(error, TryAgainError) and _measure_free_space(settings)[0][0] < _MINIMUM_FREE_BYTES


def _measure_free_space(settings: Settings) -> list[tuple[int, str, Path]]:
    """Return the free bytes, the name and the path of each disk, the fullest disk first."""
    return sorted(
        (shutil.disk_usage(path).free, disk_name, path) for disk_name, path in _find_written_paths(settings).items()
    )


def _find_written_paths(settings: Settings) -> dict[str, Path]:
    """Return a folder on each disk that jobs write to, by the operator's name for the disk."""
    paths = {
        "STATE_DIR": settings.state_dir,
        "the embedded PostgreSQL": (settings.state_dir / "postgres").resolve(),
        "temporary files": Path(tempfile.gettempdir()),
    }
    lake = urlsplit(settings.lake_url)
    if lake.scheme in ("file", ""):
        paths = {"the lake": Path(unquote(lake.path)), **paths}
    path_by_device: dict[int, tuple[str, Path]] = {}
    for disk_name, path in paths.items():
        if path.exists():
            path_by_device.setdefault(path.stat().st_dev, (disk_name, path))
    return dict(path_by_device.values())


def _iterate_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
