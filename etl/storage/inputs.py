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

from etl.engines.spark import empty_frame
from etl.errors import ActionNeededError
from etl.formats.contracts import API_RESPONSE, LATEST_STATE

_COPY_BYTES = 1 << 20
_DROPPED_MANIFEST = "received.gone"
_UNSAFE_CHARACTERS = re.compile(r"[^\w.-]|^[._]+")
_MAX_NAME_LENGTH = 80
_REPLACEABLE_ORIGINS = ("kaggle", "made_up")
"""Origins of inputs that take the place of earlier ones of the same format and name."""


@dataclass(frozen=True)
class ReceivedInput:
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
    def from_manifest(manifest: dict[str, Any]) -> "ReceivedInput":
        """What ``asdict`` gave, after its way through JSON."""
        return ReceivedInput(
            **{**manifest, "columns": tuple(manifest["columns"]), "remarks": tuple(manifest.get("remarks", ()))}
        )


def extract_input_id() -> Column:
    """Of a frame that Spark reads from inputs of one file each: which one a line is of."""
    return F.regexp_extract(F.col("_metadata.file_path"), "/([^/]+)/[^/]+$", 1)


class ByteSource(Protocol):
    """What bytes can be read from, some at a time."""

    def read(self, size: int, /) -> bytes: ...


def _encode_json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


class Lake:
    """The lake under one URL."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._filesystem, self._root = url_to_fs(self.url)

    def build_input_url(self, origin: str, input_id: str, name: str) -> str:
        """Where the bytes of an input lie, or will lie.

        Signs in ``name`` that mean something in a URL, in a pattern of names or to Spark become -, and a name that is
        too long loses its beginning.
        """
        ascii_name = name.encode("ascii", "replace").decode()
        return f"{self.url}/{origin}/{input_id}/{_UNSAFE_CHARACTERS.sub('-', ascii_name[-_MAX_NAME_LENGTH:])}"

    def store_input(self, content: ByteSource, received: ReceivedInput) -> ReceivedInput:
        """Keep the bytes of ``content`` and the note about them; again with the same input_id changes nothing.

        But for a Kaggle file that another one of its name has replaced: coming again, it takes its place back. And
        where the bytes that lie there are not as many as the note says, those that come again take their place.

        :returns: the note that the lake holds, which is the earlier one where there was one.
        """
        manifest_path = f"{self._root}/{received.origin}/{received.input_id}/received.json"
        if self._filesystem.exists(manifest_path):
            stored = self._read_manifest(manifest_path)
            # A note of another size tells of bytes that were replaced on purpose, such as those of a forgotten person.
            if stored.size_bytes == received.size_bytes != self._get_stored_size(stored):
                self._write_file(self._get_path(stored), iter(lambda: content.read(_COPY_BYTES), b""))
            return self._restore_precedence(stored, received)
        self._write_file(self._get_path(received), iter(lambda: content.read(_COPY_BYTES), b""))
        return self.store_manifest(received)

    def store_manifest(self, received: ReceivedInput) -> ReceivedInput:
        """Keep the note about an input whose files lie under ``received.url`` already; last, so that no half is seen.

        :returns: the note that the lake holds, which is the earlier one where there was one.
        """
        manifest_path = f"{self._root}/{received.origin}/{received.input_id}/received.json"
        if self._filesystem.exists(manifest_path):
            return self._read_manifest(manifest_path)
        self.write_manifest(received)
        return received

    def find_inputs(self, origins: Iterable[str]) -> list[ReceivedInput]:
        """All inputs of some origins, oldest first."""
        manifest_paths = [
            path for origin in origins for path in self._filesystem.glob(f"{self._root}/{origin}/*/received.json")
        ]
        return sorted((self._read_manifest(n) for n in manifest_paths), key=lambda r: (r.received_at, r.input_id))

    @contextmanager
    def open_input(self, received: ReceivedInput) -> Iterator[BinaryIO]:
        """The bytes of an input that is one file."""
        with self._filesystem.open(self._get_path(received), "rb") as source:
            yield source

    def replace_input(self, received: ReceivedInput, content: bytes, row_count: int) -> None:
        """Keep other bytes in place of an input's one file, and their number of records; its id stays."""
        self._write_file(self._get_path(received), [content])
        self.write_manifest(replace(received, row_count=row_count, size_bytes=len(content)))

    def replace_file(self, path: str, content: Iterable[bytes]) -> None:
        """Keep other bytes in place of one of an input's files.

        :param path: of the file, without protocol.
        """
        folder, name = path.rsplit("/", 1)
        checksum = f"{folder}/.{name}.crc"  # Hadoop's, of the former bytes: it would refuse the new ones
        if self._filesystem.exists(checksum):
            self._filesystem.rm(checksum)
        self._write_file(path, content)

    def write_manifest(self, received: ReceivedInput) -> None:
        """Write the note of an input anew."""
        manifest_path = f"{self._root}/{received.origin}/{received.input_id}/received.json"
        self._write_file(manifest_path, [_encode_json(asdict(received))])

    def drop_input(self, received: ReceivedInput) -> None:
        """Remove an input whole; one that was half removed is no input any more."""
        folder = f"{self._root}/{received.origin}/{received.input_id}"
        self._filesystem.mv(f"{folder}/received.json", f"{folder}/{_DROPPED_MANIFEST}")
        self._filesystem.rm(folder, recursive=True)

    def finish_input_drops(self) -> None:
        """Remove what is left of inputs that were half removed."""
        for manifest_path in self._filesystem.glob(f"{self._root}/*/*/{_DROPPED_MANIFEST}"):
            self._filesystem.rm(manifest_path.rsplit("/", 1)[0], recursive=True)

    def write_frame(self, frame: DataFrame, run_id: str, name: str) -> None:
        """Keep a frame for the next step of a run; again replaces it."""
        frame.write.mode("overwrite").parquet(self.get_checkpoint_url(run_id, name))

    def read_frame(self, spark: SparkSession, run_id: str, name: str, schema: StructType) -> DataFrame:
        """A frame that an earlier step of the run kept."""
        return spark.read.schema(schema).parquet(self.get_checkpoint_url(run_id, name))

    def read_responses(self, spark: SparkSession, inputs: Iterable[ReceivedInput]) -> DataFrame:
        """The lines of inputs of API answers: ``schemas.ANSWER`` and input_id."""
        lines = (
            spark.read.schema(API_RESPONSE)
            .option("mode", "FAILFAST")
            .json([received_input.url for received_input in inputs])
        )
        return lines.withColumn("input_id", extract_input_id())

    def find_input_files(self, received: ReceivedInput, suffix: str) -> list[str]:
        """The URLs of an input's files, or of the one that it is, by the end of their names."""
        path = self._filesystem._strip_protocol(received.url)
        paths = sorted(self._filesystem.glob(f"{path}/*{suffix}")) if self._filesystem.isdir(path) else [path]
        return [str(self._filesystem.unstrip_protocol(file_path)) for file_path in paths]

    def frames_size(self, run_id: str, names: Iterable[str]) -> int:
        """The bytes of frames that earlier steps of the run kept."""
        return sum(self._size_under(f"{self._root}/runs/{run_id}/{name}") for name in names)

    def find_frame_files(self, run_id: str, name: str) -> list[str]:
        """The URLs of the files of a frame that an earlier step of the run kept."""
        paths = sorted(self._filesystem.glob(f"{self._root}/runs/{run_id}/{name}/*.parquet"))
        return [str(self._filesystem.unstrip_protocol(path)) for path in paths]

    def get_checkpoint_url(self, run_id: str, folder: str) -> str:
        """Where a step of a run keeps things in the folder ``place``."""
        return f"{self.url}/runs/{run_id}/{folder}"

    def write_latest_state(self, frame: DataFrame, run_id: str, name: str) -> None:
        """Keep a frame of what all answers of the API up to a run say; again replaces it."""
        frame.write.mode("overwrite").parquet(f"{self.url}/memory/{run_id}/{name}")

    def read_latest_state(self, spark: SparkSession, run_id: str | None, name: str) -> DataFrame:
        """A frame of the memory of a run; an empty one where there is no run."""
        if run_id is None:
            return empty_frame(spark, LATEST_STATE[name])
        return spark.read.schema(LATEST_STATE[name]).parquet(f"{self.url}/memory/{run_id}/{name}")

    def memory_size(self, run_id: str | None) -> int:
        """The bytes of the memory of a run; 0 where there is no run."""
        return self._size_under(f"{self._root}/memory/{run_id}") if run_id else 0

    def has_latest_state(self, run_id: str) -> bool:
        """Whether the memory of a run is there, whole."""
        paths = (f"{self._root}/memory/{run_id}/{name}/_SUCCESS" for name in LATEST_STATE)
        return all(self._filesystem.exists(path) for path in paths)

    def drop_latest_states(self, retained_run_ids: Iterable[str]) -> int:
        """Remove the memories of all runs but some; they can be made again from the inputs.

        :returns: how many were removed.
        """
        root = f"{self._root}/memory"
        run_paths = self._filesystem.ls(root, detail=False) if self._filesystem.exists(root) else []
        old = [path for path in run_paths if path.rstrip("/").rsplit("/", 1)[-1] not in set(retained_run_ids)]
        for path in old:
            self._filesystem.rm(path, recursive=True)
        return len(old)

    def resolve_api_name(self, configured_api_name: str) -> str:
        """Who gave the API's answers that lie here; where that is not noted, or there are none yet, ``asked``."""
        path = f"{self._root}/api/answered_by"
        if self._filesystem.exists(path) and self.find_inputs(["api"]):
            return str(self._filesystem.read_text(path, encoding="utf-8"))
        self._write_file(path, [configured_api_name.encode()])
        return configured_api_name

    def write_document(self, run_id: str, name: str, document: dict[str, Any]) -> None:
        """Keep a small JSON note for the next step of a run; again replaces it."""
        self._write_file(f"{self._root}/runs/{run_id}/{name}.json", [_encode_json(document)])

    def read_document(self, run_id: str, name: str) -> dict[str, Any]:
        """A note that an earlier step of the run kept.

        :raises ActionNeededError: where there is none, because that step did not finish or maintenance swept it.
        """
        try:
            with self._filesystem.open(f"{self._root}/runs/{run_id}/{name}.json", "r", encoding="utf-8") as source:
                return dict(json.load(source))
        except FileNotFoundError:
            raise ActionNeededError(
                f"The run {run_id} left no {name} in the lake: run its earlier steps again (clear them in Airflow)."
            ) from None

    def write_bytes(self, run_id: str, name: str, content: bytes) -> None:
        """Keep bytes for another try of the same step, whole or not at all; again replaces them.

        :param name: may have folders in it.
        """
        self._write_file(f"{self._root}/runs/{run_id}/{name}", [content])

    def read_bytes(self, run_id: str, name: str) -> bytes | None:
        """What an earlier try kept under ``name``, or None."""
        try:
            content: bytes = self._filesystem.cat_file(f"{self._root}/runs/{run_id}/{name}")
        except FileNotFoundError:
            return None
        return content

    def find_checkpoint_names(self, run_id: str, folder_name: str) -> list[str]:
        """The names of all that was kept in the folder ``place``, sorted; halves are left out."""
        folder = f"{self._root}/runs/{run_id}/{folder_name}"
        paths = self._filesystem.ls(folder, detail=False) if self._filesystem.exists(folder) else []
        return sorted(path.rsplit("/", 1)[-1] for path in paths if not path.endswith(".part"))

    def drop_checkpoint_folder(self, run_id: str, folder_name: str) -> None:
        """Remove all that was kept in the folder ``place``."""
        folder = f"{self._root}/runs/{run_id}/{folder_name}"
        if self._filesystem.exists(folder):
            self._filesystem.rm(folder, recursive=True)

    def drop_frames_and_documents(self, run_id: str) -> None:
        """Remove the frames and notes of a run; answers that a fetch keeps stay."""
        for path in self._filesystem.ls(f"{self._root}/runs/{run_id}", detail=False):
            if not path.rstrip("/").endswith("/answers"):
                self._filesystem.rm(path, recursive=True)

    def find_checkpoint_folders(self, run_id: str, folder_name: str) -> list[str]:
        """The folders in the folder ``place``, by their names."""
        folder = f"{self._root}/runs/{run_id}/{folder_name}"
        paths = self._filesystem.ls(folder, detail=False) if self._filesystem.exists(folder) else []
        return sorted(path.rstrip("/").rsplit("/", 1)[-1] for path in paths)

    def find_run_ids(self) -> list[str]:
        """The ids of all runs that still have frames."""
        if not self._filesystem.exists(f"{self._root}/runs"):
            return []
        return sorted(
            path.rstrip("/").rsplit("/", 1)[-1] for path in self._filesystem.ls(f"{self._root}/runs", detail=False)
        )

    def get_last_write_time(self, run_id: str) -> datetime:
        """When something of a run was last written."""
        files = self._filesystem.find(f"{self._root}/runs/{run_id}")
        return max((self._get_modified_at(path) for path in files), default=datetime.fromtimestamp(0, UTC))

    def drop_run(self, run_id: str) -> None:
        """Remove the frames of a run; the inputs stay."""
        self._filesystem.rm(f"{self._root}/runs/{run_id}", recursive=True)

    def sweep_drafts(self, before: datetime) -> int:
        """Remove what was begun and not finished, such as an import that was killed, where it is old.

        :returns: how many files were removed.
        """
        drafts = [
            path for path in self._filesystem.glob(f"{self._root}/*/*/*.part") if self._get_modified_at(path) < before
        ]
        for path in drafts:
            self._filesystem.rm(path)
        return len(drafts)

    def _write_file(self, path: str, blocks: Iterable[bytes]) -> None:
        """Write a file whole or not at all; two may write the same one at once."""
        draft = f"{path}.{uuid4().hex}.part"
        self._filesystem.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        try:
            with self._filesystem.open(draft, "wb") as target:
                for block in blocks:
                    target.write(block)
            self._filesystem.mv(draft, path)
        except BaseException:
            with suppress(OSError):
                self._filesystem.rm(draft)
            raise

    def _get_stored_size(self, received: ReceivedInput) -> int | None:
        """How many bytes lie there of an input that is one file; None where there is no file."""
        path = self._get_path(received)
        return int(self._filesystem.size(path)) if self._filesystem.exists(path) else None

    def _size_under(self, path: str) -> int:
        """The bytes of all files in a folder; 0 where there is none."""
        return int(self._filesystem.du(path)) if self._filesystem.exists(path) else 0

    def _get_modified_at(self, path: str) -> datetime:
        modified: datetime = self._filesystem.modified(path)
        return modified if modified.tzinfo else modified.replace(tzinfo=UTC)

    def _restore_precedence(self, stored: ReceivedInput, received: ReceivedInput) -> ReceivedInput:
        """The note of an input that came again, of the new moment where another one took its place in between."""
        format_and_name = (stored.format, stored.name)
        if stored.origin not in _REPLACEABLE_ORIGINS or (received.format, received.name) != format_and_name:
            return stored
        newest = [
            candidate
            for candidate in self.find_inputs([stored.origin])
            if (candidate.format, candidate.name) == format_and_name
        ][-1]
        if newest.input_id == stored.input_id or newest.received_at >= received.received_at:
            return stored
        renewed = replace(stored, received_at=received.received_at)
        self.write_manifest(renewed)
        return renewed

    def _get_path(self, received: ReceivedInput) -> str:
        return f"{self._root}/{received.origin}/{received.input_id}/{received.url.rsplit('/', 1)[-1]}"

    def _read_manifest(self, path: str) -> ReceivedInput:
        with self._filesystem.open(path, "r", encoding="utf-8") as source:
            return ReceivedInput.from_manifest(json.load(source))
