"""Files as received, immutable, and the frames that each run made of them.

    LAKE_URL/<origin>/<input_id>/<file name>     the bytes as received
    LAKE_URL/<origin>/<input_id>/received.json   what they are; written last, so that a half is never seen
    LAKE_URL/memory/<run_id>/<frame>/            Parquet: what all answers of the API up to that run say
    LAKE_URL/runs/<run_id>/<frame>/              Parquet, between two steps of a run; swept by maintenance
    LAKE_URL/runs/<run_id>/<place>/<name>        what a step keeps until it has all of an input; swept likewise

``input_id`` is a hash of the bytes: the same file received twice is one input. fsspec and Spark reach the same URL.
"""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, BinaryIO, Protocol
from uuid import uuid4

from fsspec.core import url_to_fs
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from etl.errors import ActionNeededError
from etl.schemas import ANSWER, MEMORY

_COPY_BYTES = 1 << 20
_GONE = "received.gone"
_ODD = re.compile(r"[^\w.-]|^[._]+")
_LONGEST_NAME = 80
_REPLACED = ("kaggle", "made_up")
"""Origins of inputs that take the place of earlier ones of the same format and name."""


@dataclass(frozen=True)
class Received:
    """One input file: where it lies and how to read it."""

    input_id: str
    origin: str
    name: str
    format: str
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    row_count: int
    size_bytes: int
    received_at: str
    url: str
    cut_off: str = ""
    """What was left out of a file that ends in the middle, in words; it counts as one record."""
    quoting: str = "loose"
    shape: str = ""
    decimal: str = ""
    dates: str = ""
    """How a table is read beyond its encoding and delimiter: see ``tabular.Layout``."""
    is_encoding_chosen: bool = False
    """Whether somebody has chosen the encoding; that choice holds for the same bytes."""
    content_id: str = ""
    """A hash of the bytes alone, where ``input_id`` is one of the bytes and of how they are read."""
    remarks: tuple[str, ...] = ()
    """What somebody should know of how the file is read, in sentences."""

    @staticmethod
    def from_note(note: dict[str, Any]) -> "Received":
        """What ``asdict`` gave, after its way through JSON."""
        return Received(**{**note, "columns": tuple(note["columns"]), "remarks": tuple(note.get("remarks", ()))})


def input_id_of_line() -> Column:
    """Of a frame that Spark reads from inputs of one file each: which one a line is of."""
    return F.regexp_extract(F.col("_metadata.file_path"), "/([^/]+)/[^/]+$", 1)


class Readable(Protocol):
    """What bytes can be read from, some at a time."""

    def read(self, size: int, /) -> bytes: ...


def _as_note(note: dict[str, Any]) -> bytes:
    return json.dumps(note, ensure_ascii=False, indent=1).encode()


class Lake:
    """The lake under one URL."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._files, self._root = url_to_fs(self.url)

    def input_url(self, origin: str, input_id: str, name: str) -> str:
        """Where the bytes of an input lie, or will lie.

        Signs in ``name`` that mean something in a URL, in a pattern of names or to Spark become -, and a name that is
        too long loses its beginning.
        """
        plain = name.encode("ascii", "replace").decode()
        return f"{self.url}/{origin}/{input_id}/{_ODD.sub('-', plain[-_LONGEST_NAME:])}"

    def receive(self, content: Readable, received: Received) -> Received:
        """Keep the bytes of ``content`` and the note about them; again with the same input_id changes nothing.

        But for a Kaggle file that another one of its name has replaced: coming again, it takes its place back. And
        where the bytes that lie there are not as many as the note says, those that come again take their place.

        :returns: the note that the lake holds, which is the earlier one where there was one.
        """
        note = f"{self._root}/{received.origin}/{received.input_id}/received.json"
        if self._files.exists(note):
            kept = self._read_note(note)
            # A note of another size tells of bytes that were replaced on purpose, such as those of a forgotten person.
            if kept.size_bytes == received.size_bytes != self._size(kept):
                self._write(self._path(kept), iter(lambda: content.read(_COPY_BYTES), b""))
            return self._come_again(kept, received)
        self._write(self._path(received), iter(lambda: content.read(_COPY_BYTES), b""))
        return self.note(received)

    def note(self, received: Received) -> Received:
        """Keep the note about an input whose files lie under ``received.url`` already; last, so that no half is seen.

        :returns: the note that the lake holds, which is the earlier one where there was one.
        """
        note = f"{self._root}/{received.origin}/{received.input_id}/received.json"
        if self._files.exists(note):
            return self._read_note(note)
        self.renote(received)
        return received

    def inputs(self, origins: Iterable[str]) -> list[Received]:
        """All inputs of some origins, oldest first."""
        notes = [n for origin in origins for n in self._files.glob(f"{self._root}/{origin}/*/received.json")]
        return sorted((self._read_note(n) for n in notes), key=lambda r: (r.received_at, r.input_id))

    @contextmanager
    def read(self, received: Received) -> Iterator[BinaryIO]:
        """The bytes of an input that is one file."""
        with self._files.open(self._path(received), "rb") as source:
            yield source

    def replace(self, received: Received, content: bytes, row_count: int) -> None:
        """Keep other bytes in place of an input's one file, and their number of records; its id stays."""
        self._write(self._path(received), [content])
        self.renote(replace(received, row_count=row_count, size_bytes=len(content)))

    def replace_part(self, path: str, content: Iterable[bytes]) -> None:
        """Keep other bytes in place of one of an input's files.

        :param path: of the file, without protocol.
        """
        folder, name = path.rsplit("/", 1)
        checksum = f"{folder}/.{name}.crc"  # Hadoop's, of the former bytes: it would refuse the new ones
        if self._files.exists(checksum):
            self._files.rm(checksum)
        self._write(path, content)

    def renote(self, received: Received) -> None:
        """Write the note of an input anew."""
        note = f"{self._root}/{received.origin}/{received.input_id}/received.json"
        self._write(note, [_as_note(asdict(received))])

    def drop_input(self, received: Received) -> None:
        """Remove an input whole; one that was half removed is no input any more."""
        folder = f"{self._root}/{received.origin}/{received.input_id}"
        self._files.mv(f"{folder}/received.json", f"{folder}/{_GONE}")
        self._files.rm(folder, recursive=True)

    def finish_drops(self) -> None:
        """Remove what is left of inputs that were half removed."""
        for note in self._files.glob(f"{self._root}/*/*/{_GONE}"):
            self._files.rm(note.rsplit("/", 1)[0], recursive=True)

    def write_frame(self, frame: DataFrame, run_id: str, name: str) -> None:
        """Keep a frame for the next step of a run; again replaces it."""
        frame.write.mode("overwrite").parquet(self.kept_url(run_id, name))

    def read_frame(self, spark: SparkSession, run_id: str, name: str, schema: StructType) -> DataFrame:
        """A frame that an earlier step of the run kept."""
        return spark.read.schema(schema).parquet(self.kept_url(run_id, name))

    def read_answers(self, spark: SparkSession, inputs: Iterable[Received]) -> DataFrame:
        """The lines of inputs of API answers: ``schemas.ANSWER`` and input_id."""
        lines = spark.read.schema(ANSWER).option("mode", "FAILFAST").json([one.url for one in inputs])
        return lines.withColumn("input_id", input_id_of_line())

    def files_of(self, received: Received, ending: str) -> list[str]:
        """The URLs of an input's files, or of the one that it is, by the end of their names."""
        path = self._files._strip_protocol(received.url)
        paths = sorted(self._files.glob(f"{path}/*{ending}")) if self._files.isdir(path) else [path]
        return [str(self._files.unstrip_protocol(one)) for one in paths]

    def frame_files(self, run_id: str, name: str) -> list[str]:
        """The URLs of the files of a frame that an earlier step of the run kept."""
        paths = sorted(self._files.glob(f"{self._root}/runs/{run_id}/{name}/*.parquet"))
        return [str(self._files.unstrip_protocol(path)) for path in paths]

    def kept_url(self, run_id: str, place: str) -> str:
        """Where a step of a run keeps things in the folder ``place``."""
        return f"{self.url}/runs/{run_id}/{place}"

    def write_memory(self, frame: DataFrame, run_id: str, name: str) -> None:
        """Keep a frame of what all answers of the API up to a run say; again replaces it."""
        frame.write.mode("overwrite").parquet(f"{self.url}/memory/{run_id}/{name}")

    def read_memory(self, spark: SparkSession, run_id: str | None, name: str) -> DataFrame:
        """A frame of the memory of a run; an empty one where there is no run."""
        if run_id is None:
            return spark.createDataFrame([], MEMORY[name])
        return spark.read.schema(MEMORY[name]).parquet(f"{self.url}/memory/{run_id}/{name}")

    def has_memory(self, run_id: str) -> bool:
        """Whether the memory of a run is there, whole."""
        paths = (f"{self._root}/memory/{run_id}/{name}/_SUCCESS" for name in MEMORY)
        return all(self._files.exists(path) for path in paths)

    def drop_memories(self, kept: Iterable[str]) -> int:
        """Remove the memories of all runs but some; they can be made again from the inputs.

        :returns: how many were removed.
        """
        root = f"{self._root}/memory"
        there = self._files.ls(root, detail=False) if self._files.exists(root) else []
        old = [path for path in there if path.rstrip("/").rsplit("/", 1)[-1] not in set(kept)]
        for path in old:
            self._files.rm(path, recursive=True)
        return len(old)

    def answered_by(self, asked: str) -> str:
        """Who gave the API's answers that lie here; where that is not noted, or there are none yet, ``asked``."""
        place = f"{self._root}/api/answered_by"
        if self._files.exists(place) and self.inputs(["api"]):
            return str(self._files.read_text(place, encoding="utf-8"))
        self._write(place, [asked.encode()])
        return asked

    def write_note(self, run_id: str, name: str, note: dict[str, Any]) -> None:
        """Keep a small JSON note for the next step of a run; again replaces it."""
        self._write(f"{self._root}/runs/{run_id}/{name}.json", [_as_note(note)])

    def read_note(self, run_id: str, name: str) -> dict[str, Any]:
        """A note that an earlier step of the run kept.

        :raises ActionNeededError: where there is none, because that step did not finish or maintenance swept it.
        """
        try:
            with self._files.open(f"{self._root}/runs/{run_id}/{name}.json", "r", encoding="utf-8") as source:
                return dict(json.load(source))
        except FileNotFoundError:
            raise ActionNeededError(
                f"The run {run_id} left no {name} in the lake: run its earlier steps again (clear them in Airflow)."
            ) from None

    def keep(self, run_id: str, name: str, content: bytes) -> None:
        """Keep bytes for another try of the same step, whole or not at all; again replaces them.

        :param name: may have folders in it.
        """
        self._write(f"{self._root}/runs/{run_id}/{name}", [content])

    def kept(self, run_id: str, name: str) -> bytes | None:
        """What an earlier try kept under ``name``, or None."""
        try:
            content: bytes = self._files.cat_file(f"{self._root}/runs/{run_id}/{name}")
        except FileNotFoundError:
            return None
        return content

    def kept_names(self, run_id: str, place: str) -> list[str]:
        """The names of all that was kept in the folder ``place``, sorted; halves are left out."""
        folder = f"{self._root}/runs/{run_id}/{place}"
        paths = self._files.ls(folder, detail=False) if self._files.exists(folder) else []
        return sorted(path.rsplit("/", 1)[-1] for path in paths if not path.endswith(".part"))

    def drop_kept(self, run_id: str, place: str) -> None:
        """Remove all that was kept in the folder ``place``."""
        folder = f"{self._root}/runs/{run_id}/{place}"
        if self._files.exists(folder):
            self._files.rm(folder, recursive=True)

    def drop_frames(self, run_id: str) -> None:
        """Remove the frames and notes of a run; answers that a fetch keeps stay."""
        for path in self._files.ls(f"{self._root}/runs/{run_id}", detail=False):
            if not path.rstrip("/").endswith("/answers"):
                self._files.rm(path, recursive=True)

    def kept_places(self, run_id: str, place: str) -> list[str]:
        """The folders in the folder ``place``, by their names."""
        folder = f"{self._root}/runs/{run_id}/{place}"
        there = self._files.ls(folder, detail=False) if self._files.exists(folder) else []
        return sorted(path.rstrip("/").rsplit("/", 1)[-1] for path in there)

    def runs(self) -> list[str]:
        """The ids of all runs that still have frames."""
        if not self._files.exists(f"{self._root}/runs"):
            return []
        return sorted(
            path.rstrip("/").rsplit("/", 1)[-1] for path in self._files.ls(f"{self._root}/runs", detail=False)
        )

    def run_written_at(self, run_id: str) -> datetime:
        """When something of a run was last written."""
        files = self._files.find(f"{self._root}/runs/{run_id}")
        return max((self._modified(path) for path in files), default=datetime.fromtimestamp(0, UTC))

    def drop_run(self, run_id: str) -> None:
        """Remove the frames of a run; the inputs stay."""
        self._files.rm(f"{self._root}/runs/{run_id}", recursive=True)

    def sweep_drafts(self, before: datetime) -> int:
        """Remove what was begun and not finished, such as an import that was killed, where it is old.

        :returns: how many files were removed.
        """
        drafts = [path for path in self._files.glob(f"{self._root}/*/*/*.part") if self._modified(path) < before]
        for path in drafts:
            self._files.rm(path)
        return len(drafts)

    def _write(self, path: str, blocks: Iterable[bytes]) -> None:
        """Write a file whole or not at all; two may write the same one at once."""
        draft = f"{path}.{uuid4().hex}.part"
        self._files.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        try:
            with self._files.open(draft, "wb") as target:
                for block in blocks:
                    target.write(block)
            self._files.mv(draft, path)
        except BaseException:
            with suppress(OSError):
                self._files.rm(draft)
            raise

    def _size(self, received: Received) -> int | None:
        """How many bytes lie there of an input that is one file; None where there is no file."""
        path = self._path(received)
        return int(self._files.size(path)) if self._files.exists(path) else None

    def _modified(self, path: str) -> datetime:
        modified: datetime = self._files.modified(path)
        return modified if modified.tzinfo else modified.replace(tzinfo=UTC)

    def _come_again(self, kept: Received, again: Received) -> Received:
        """The note of an input that came again, of the new moment where another one took its place in between."""
        own = (kept.format, kept.name)
        if kept.origin not in _REPLACED or (again.format, again.name) != own:
            return kept
        newest = [one for one in self.inputs([kept.origin]) if (one.format, one.name) == own][-1]
        if newest.input_id == kept.input_id or newest.received_at >= again.received_at:
            return kept
        renewed = replace(kept, received_at=again.received_at)
        self.renote(renewed)
        return renewed

    def _path(self, received: Received) -> str:
        return f"{self._root}/{received.origin}/{received.input_id}/{received.url.rsplit('/', 1)[-1]}"

    def _read_note(self, path: str) -> Received:
        with self._files.open(path, "r", encoding="utf-8") as source:
            return Received.from_note(json.load(source))
