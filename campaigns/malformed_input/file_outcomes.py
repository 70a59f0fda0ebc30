"""Malformed files for each parser, and the outcome of receiving them: kept, rejected with a message, crash or hang."""

import re
import signal
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from campaigns.malformed_input.api_responses import serve_malformed_responses
from campaigns.malformed_input.file_breaks import BREAKS_BY_SUFFIX, break_file
from campaigns.malformed_input.parsers import PARSERS, Parser
from campaigns.malformed_input.unusual_paths import list_unusual_names, list_unusual_paths
from etl.errors import EtlError
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake

TIMEOUT_S = 20
_UNUSUAL_PATH_INTERVAL = 40
"""One in so many is not a file but a folder, a link, a pipe."""


@dataclass(frozen=True)
class FileOutcome:
    """The outcome of a file: ``kind`` is kept, rejected, crash or hang. ``message_form`` is the general message."""

    name: str
    kind: str
    message: str
    seconds: float
    received: tuple[ReceivedInput, ...] = ()

    @property
    def message_form(self) -> str:
        return re.sub(r"^.*?: |'[^']*'|\"[^\"]*\"|\([^()]*\)|\d+", "…", self.message)


class _FileTimeoutError(BaseException):
    """The timeout of a file has passed."""


def run_in_subprocess(
    name: str, lake_url: str, real: Path | None, size: int, seed: int
) -> tuple[list[FileOutcome], int]:
    """Receive ``size`` malformed files of a parser, in a process of its own.

    :returns: an outcome a file, and the peak memory of the process in MiB.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_receive_malformed_files, name, lake_url, real, size, seed).result()


def _receive_malformed_files(
    name: str, lake_url: str, real: Path | None, size: int, seed: int
) -> tuple[list[FileOutcome], int]:
    parser, lake, rng = PARSERS[name], Lake(lake_url), Random(f"{seed} {name}")
    with TemporaryDirectory() as folder:
        if name == "answers":
            with serve_malformed_responses(Path(folder), lake, rng) as fetch_malformed:
                outcomes = [_receive_file(kind, fetch) for kind, fetch in fetch_malformed(size)]
        else:
            malformed_files = _write_malformed_files(parser, Path(folder), real, size, rng)
            outcomes = [
                _receive_file(kind, lambda path=path: parser.receive_inputs(path, lake))
                for kind, path in malformed_files
            ]
    return outcomes, _read_peak_mib()


def _write_malformed_files(
    parser: Parser, folder: Path, real: Path | None, size: int, rng: Random
) -> Iterator[tuple[str, Path]]:
    """Write malformed files, each in a folder that is removed after its turn; yield their kinds and paths."""
    good_content = parser.make_good_file(real)
    format_breaks = BREAKS_BY_SUFFIX[parser.suffix]
    unusual_names, unusual_paths = list_unusual_names(parser.suffix), list_unusual_paths()
    for number in range(size):
        folder_of_file = folder / str(number)
        folder_of_file.mkdir()
        if number < len(unusual_names):
            path = folder_of_file / unusual_names[number]
            path.write_bytes(
                good_content.replace(b"\n", b"\n" * (number + 1), 1) if parser.suffix == ".csv" else good_content
            )
            yield f"name {unusual_names[number]!r}", path
        elif number % _UNUSUAL_PATH_INTERVAL == 0:
            kind = rng.choice(list(unusual_paths))
            yield kind, unusual_paths[kind](folder_of_file, good_content)
        else:
            kind, content = break_file(good_content, format_breaks, rng)
            path = folder_of_file / f"{number}{_choose_suffix(kind, parser.suffix, rng)}"
            path.write_bytes(content)
            yield kind, path


def _choose_suffix(kind: str, default_suffix: str, rng: Random) -> str:
    if kind.startswith("zip"):
        return rng.choice((".zip", default_suffix))
    return rng.choice((default_suffix,) * 9 + ("", ".txt", ".xlsx", ".avro", ".zip"))


def _receive_file(kind: str, receive: object) -> FileOutcome:
    began = time.monotonic()
    try:
        with _limit_time():
            received: Sequence[ReceivedInput] = receive()  # type: ignore[operator]
        outcome_kind, message = "kept", ""
    except EtlError as error:
        received, outcome_kind, message = (), "rejected", str(error)
    except _FileTimeoutError:
        received, outcome_kind, message = (), "hang", f"more than {TIMEOUT_S} s"
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        location = f"{Path(frame.filename).name}:{frame.lineno}"
        received, outcome_kind, message = (), "crash", f"{type(error).__name__} at {location}: {str(error)[:200]}"
    return FileOutcome(kind, outcome_kind, message, time.monotonic() - began, tuple(received))


@contextmanager
def _limit_time() -> Iterator[None]:
    def raise_timeout(*_: object) -> None:
        raise _FileTimeoutError

    signal.signal(signal.SIGALRM, raise_timeout)
    signal.setitimer(signal.ITIMER_REAL, TIMEOUT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _read_peak_mib() -> int:
    # The peak of getrusage includes the process from which this one was forked.
    (line,) = (
        status_line
        for status_line in Path("/proc/self/status").read_text().splitlines()
        if status_line.startswith("VmHWM")
    )
    return int(line.split()[1]) >> 10
