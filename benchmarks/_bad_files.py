"""Malformed files for each parser, and what comes of receiving them: kept, refused with a sentence, crash or hang."""

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

from benchmarks._bad_parsers import PARSERS, Parser
from benchmarks._break_answers import answered
from benchmarks._break_files import SPECIAL, broken, odd_names, odd_places
from etl.errors import EtlError
from etl.lake import Lake, Received

PATIENCE_S = 20
_PLACES_ONCE_IN = 40
"""One in so many is no file but a folder, a link, a pipe."""


@dataclass(frozen=True)
class Outcome:
    """What came of a file: ``kind`` is kept, refused, crash or hang. ``form`` is the sentence without what differs."""

    name: str
    kind: str
    sentence: str
    seconds: float
    received: tuple[Received, ...] = ()

    @property
    def form(self) -> str:
        return re.sub(r"^.*?: |'[^']*'|\"[^\"]*\"|\([^()]*\)|\d+", "…", self.sentence)


class _TooLongError(BaseException):
    """The bound of a file has passed."""


def examined(name: str, lake_url: str, real: Path | None, size: int, seed: int) -> tuple[list[Outcome], int]:
    """Receive ``size`` malformed files of a parser, in a process of its own.

    :returns: an outcome a file, and the most memory of the process in MiB.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_examine, name, lake_url, real, size, seed).result()


def _examine(name: str, lake_url: str, real: Path | None, size: int, seed: int) -> tuple[list[Outcome], int]:
    parser, lake, chance = PARSERS[name], Lake(lake_url), Random(f"{seed} {name}")
    with TemporaryDirectory() as folder:
        if name == "answers":
            with answered(Path(folder), lake, chance) as answers:
                outcomes = [_outcome(kind, ask) for kind, ask in answers(size)]
        else:
            some = _malformed(parser, Path(folder), real, size, chance)
            outcomes = [_outcome(kind, lambda path=path: parser.receive(path, lake)) for kind, path in some]
    return outcomes, _peak_mib()


def _malformed(
    parser: Parser, folder: Path, real: Path | None, size: int, chance: Random
) -> Iterator[tuple[str, Path]]:
    """Kind and place of malformed files, each in a folder of its own and gone after its turn."""
    good = parser.good(real)
    special = SPECIAL[parser.suffix]
    names, places = odd_names(parser.suffix), odd_places()
    for number in range(size):
        place = folder / str(number)
        place.mkdir()
        if number < len(names):
            path = place / names[number]
            path.write_bytes(good.replace(b"\n", b"\n" * (number + 1), 1) if parser.suffix == ".csv" else good)
            yield f"name {names[number]!r}", path
        elif number % _PLACES_ONCE_IN == 0:
            kind = chance.choice(list(places))
            yield kind, places[kind](place, good)
        else:
            kind, content = broken(good, special, chance)
            path = place / f"{number}{_suffix(kind, parser.suffix, chance)}"
            path.write_bytes(content)
            yield kind, path


def _suffix(kind: str, usual: str, chance: Random) -> str:
    if kind.startswith("zip"):
        return chance.choice((".zip", usual))
    return chance.choice((usual,) * 9 + ("", ".txt", ".xlsx", ".avro", ".zip"))


def _outcome(kind: str, receive: object) -> Outcome:
    began = time.monotonic()
    try:
        with _patience():
            received: Sequence[Received] = receive()  # type: ignore[operator]
        found, sentence = "kept", ""
    except EtlError as error:
        received, found, sentence = (), "refused", str(error)
    except _TooLongError:
        received, found, sentence = (), "hang", f"more than {PATIENCE_S} s"
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        received, found, sentence = (), "crash", f"{type(error).__name__} at {place}: {str(error)[:200]}"
    return Outcome(kind, found, sentence, time.monotonic() - began, tuple(received))


@contextmanager
def _patience() -> Iterator[None]:
    def end(*_: object) -> None:
        raise _TooLongError

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _peak_mib() -> int:
    # What getrusage says counts the process that this one was made from.
    (line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) >> 10
