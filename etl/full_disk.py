"""Full disks, whoever met one: said in a sentence, with what is free where."""

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

from etl.config import Settings
from etl.errors import ActionNeededError, EtlError, TryAgainError

_CODES = (errno.ENOSPC, errno.EDQUOT)
_WORDS = ("No space left on device", "Disk quota exceeded", "database or disk is full")
"""What Java, Arrow and SQLite say, whose failures have no code of their own."""
_MIB = 20
_LEAST_BYTES = 16 << _MIB
"""PostgreSQL's log grows by so much at once."""

_Told = ParamSpec("_Told")
_Given = TypeVar("_Given")


@contextmanager
def explained_full_disk(settings: Settings) -> Iterator[None]:
    """Let what meets a full disk fail with a sentence that says so.

    :param settings: say where it writes.
    :raises ActionNeededError: in place of whatever the disk's being full led to.
    """
    try:
        yield
    except Exception as error:
        if not (is_full_disk(error) or _has_ended_for_it(error, settings)):
            raise
        raise ActionNeededError(sentence(settings)) from error


def explains_full_disk(job: Callable[_Told, _Given]) -> Callable[_Told, _Given]:
    """A job within ``explained_full_disk``.

    :param job: has a parameter ``settings``.
    """
    signature = inspect.signature(job)

    @wraps(job)
    def explaining(*args: _Told.args, **kwargs: _Told.kwargs) -> _Given:
        with explained_full_disk(signature.bind(*args, **kwargs).arguments["settings"]):
            return job(*args, **kwargs)

    return explaining


def is_full_disk(error: BaseException) -> bool:
    """Whether a failure comes of a disk that is full on this side; PostgreSQL's own is not meant."""
    causes = list(_causes(error))
    if any(isinstance(one, OSError) and one.errno in _CODES for one in causes):
        return True
    # Whoever raised a sentence has looked at what stands behind it.
    return not isinstance(error, EtlError) and any(words in str(one) for one in causes for words in _WORDS)


def sentence(settings: Settings) -> str:
    """Which disk is full, of those that jobs write to, and what to do."""
    (least, what, place), *others = _free(settings)
    beside = "".join(f"; {name} {size >> _MIB:,} MiB" for size, name, _ in others)
    return (
        f"The disk of {place} is full: {least >> _MIB:,} MiB are free ({what}{beside}). Make room there, then run the"
        " step again; what was published is as it was."
    )


def _has_ended_for_it(error: Exception, settings: Settings) -> bool:
    """Whether a failure that is said to pass will not: a PostgreSQL that cannot write its log ends without a word."""
    return isinstance(error, TryAgainError) and _free(settings)[0][0] < _LEAST_BYTES


def _free(settings: Settings) -> list[tuple[int, str, Path]]:
    """Bytes that are free, by the name of a disk and its place; the fullest first."""
    return sorted((shutil.disk_usage(place).free, what, place) for what, place in _places(settings).items())


def _places(settings: Settings) -> dict[str, Path]:
    """Folders that jobs write to on this machine, one a disk, by the names that people know them by."""
    places = {
        "STATE_DIR": settings.state_dir,
        "the embedded PostgreSQL": (settings.state_dir / "postgres").resolve(),
        "temporary files": Path(tempfile.gettempdir()),
    }
    lake = urlsplit(settings.lake_url)
    if lake.scheme in ("file", ""):
        places = {"the lake": Path(unquote(lake.path)), **places}
    found: dict[int, tuple[str, Path]] = {}
    for what, place in places.items():
        if place.exists():
            found.setdefault(place.stat().st_dev, (what, place))
    return dict(found.values())


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
