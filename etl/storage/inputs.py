"""Received inputs: bytes as received, immutable but for erasure, and a manifest each.

    <url>/<origin>/<input_id>/<file name>     the bytes as received
    <url>/<origin>/<input_id>/received.json   the manifest; written last, so that readers never see half an input

``input_id`` is a hash of the bytes: the same file received twice is one input.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.parquet
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.formats.contracts import API_RESPONSE
from etl.storage.folder import LakeFolder

_COPY_BYTES = 1 << 20
_MANIFEST = "received.json"
_DROPPED_MANIFEST = "received.gone"
_UNSAFE_CHARACTERS = re.compile(r"[^\w.-]|^[._]+")
_MAX_NAME_LENGTH = 80
_REPLACEABLE_ORIGINS = ("kaggle", "made_up")
"""Origins whose inputs replace earlier ones of the same format and name."""


@dataclass(frozen=True)
class ReceivedInput:
    """The manifest of an input: its content and how to read it."""

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
    url: str = ""
    """Of its bytes, or of the folder of its files; ``ReceivedInputs.store_input`` chooses it."""
    cut_off: str = ""
    """A description of the missing end of a truncated file; it counts as one record."""
    quoting: str = "loose"
    shape: str = ""
    decimal: str = ""
    dates: str = ""
    """How a table is read beyond its encoding and delimiter: see ``tabular.Layout``."""
    is_encoding_chosen: bool = False
    """Whether the operator chose the encoding; the choice holds for the same bytes."""
    content_id: str = ""
    """A hash of the bytes alone, if ``input_id`` is a hash of the bytes and of how they are read."""
    remarks: tuple[str, ...] = ()
    """Remarks for the operator about how the file is read, one sentence each."""

    @staticmethod
    def from_manifest(manifest: dict[str, Any]) -> "ReceivedInput":
        """Return the input that ``asdict`` turned into a JSON object."""
        return ReceivedInput(
            **{**manifest, "columns": tuple(manifest["columns"]), "remarks": tuple(manifest.get("remarks", ()))}
        )


def extract_input_id() -> Column:
    """Return the id of the input that each row was read from, for inputs of one file each."""
    return F.regexp_extract(F.col("_metadata.file_path"), "/([^/]+)/[^/]+$", 1)


class ByteSource(Protocol):
    """An open file, or another object that returns its bytes block by block."""

    def read(self, size: int, /) -> bytes: ...


class ReceivedInputs(LakeFolder):
    """All received inputs."""

    def store_input(self, content: ByteSource, received: ReceivedInput) -> ReceivedInput:
        """Store the bytes of ``content`` and their manifest; an input that is there already stays as it is.

        There are two exceptions. A Kaggle file that another file of its name replaced takes precedence again when it
        is received again. Stored bytes whose size differs from the manifest's are written again.

        :returns: the manifest in the lake: the earlier one if the input was there already.
        """
        manifest_path = self._get_manifest_path(received)
        if self._filesystem.exists(manifest_path):
            stored = self._read_manifest(manifest_path)
            # A manifest of another size belongs to bytes that were replaced on purpose, by the erasure of a user.
            if stored.size_bytes == received.size_bytes != self._get_stored_size(stored):
                self._write_file(self._get_path(stored), iter(lambda: content.read(_COPY_BYTES), b""))
            return self._restore_precedence(stored, received)
        received = replace(received, url=self._build_url(received))
        self._write_file(self._get_path(received), iter(lambda: content.read(_COPY_BYTES), b""))
        return self.store_manifest(received)

    def store_manifest(self, received: ReceivedInput) -> ReceivedInput:
        """Store the manifest of an input whose files are already under ``received.url``.

        :returns: the manifest in the lake: the earlier one if there is one.
        """
        manifest_path = self._get_manifest_path(received)
        if self._filesystem.exists(manifest_path):
            return self._read_manifest(manifest_path)
        self.write_manifest(received)
        return received

    def find_inputs(
        self, origins: Iterable[str], is_wanted: Callable[[str, str], bool] = lambda _origin, _input_id: True
    ) -> list[ReceivedInput]:
        """Return the inputs of some origins, oldest first.

        :param is_wanted: receives the origin and the id of an input; manifests of unwanted inputs are not read.
        """
        manifests = (
            self._find_manifest(f"{self._root}/{origin}/{name}/{_MANIFEST}")
            for origin in origins
            for name in self._list_names(f"{self._root}/{origin}")
            if is_wanted(origin, name)
        )
        return sorted(
            filter(None, manifests), key=lambda received_input: (received_input.received_at, received_input.input_id)
        )

    @contextmanager
    def open_input(self, received: ReceivedInput) -> Iterator[BinaryIO]:
        """Open the bytes of an input that is one file."""
        with self._filesystem.open(self._get_path(received), "rb") as source:
            yield source

    def read_lines(self, received: ReceivedInput) -> Iterator[dict[str, Any]]:
        """Yield the lines of an input that is one file of compressed JSON lines."""
        with self.open_input(received) as compressed, gzip.open(compressed, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)

    def read_responses(self, spark: SparkSession, inputs: Iterable[ReceivedInput]) -> DataFrame:
        """Return the lines of inputs of API responses: the columns of ``contracts.API_RESPONSE`` and input_id."""
        lines = (
            spark.read.schema(API_RESPONSE)
            .option("mode", "FAILFAST")
            .json([received_input.url for received_input in inputs])
        )
        return lines.withColumn("input_id", extract_input_id())

    def find_input_files(self, received: ReceivedInput, suffix: str) -> list[str]:
        """Return the URLs of an input's files by the end of their names; its own URL for an input of one file."""
        path = self._filesystem._strip_protocol(received.url)
        paths = sorted(self._filesystem.glob(f"{path}/*{suffix}")) if self._filesystem.isdir(path) else [path]
        return [str(self._filesystem.unstrip_protocol(file_path)) for file_path in paths]

    def read_parquet(self, path: str) -> pa.Table:
        """Return the rows of a Parquet file among an input's files, or of one that is not in an input yet.

        :param path: of the file, without protocol.
        """
        with self._filesystem.open(path, "rb") as source:
            return pyarrow.parquet.read_table(source)

    def replace_input(self, received: ReceivedInput, content: bytes, row_count: int) -> None:
        """Replace the bytes of an input that is one file, and their size and number of records; its id stays."""
        self._write_file(self._get_path(received), [content])
        self.write_manifest(replace(received, row_count=row_count, size_bytes=len(content)))

    def replace_file(self, path: str, content: Iterable[bytes]) -> None:
        """Replace the bytes of one of an input's files.

        :param path: of the file, without protocol.
        """
        folder, name = path.rsplit("/", 1)
        checksum = f"{folder}/.{name}.crc"  # Hadoop's checksum of the former bytes: Spark would reject the new ones.
        if self._filesystem.exists(checksum):
            self._filesystem.rm(checksum)
        self._write_file(path, content)

    def write_manifest(self, received: ReceivedInput) -> None:
        """Write the manifest of an input, over an earlier one."""
        self._write_json(self._get_manifest_path(received), asdict(received))

    def drop_input(self, received: ReceivedInput) -> None:
        """Remove an input; if this breaks off, the input is gone and ``finish_input_drops`` removes its files."""
        folder = f"{self._root}/{received.origin}/{received.input_id}"
        self._filesystem.mv(f"{folder}/{_MANIFEST}", f"{folder}/{_DROPPED_MANIFEST}")
        self._filesystem.rm(folder, recursive=True)

    def finish_input_drops(self) -> None:
        """Remove the files of inputs whose removal broke off."""
        for manifest_path in self._filesystem.glob(f"{self._root}/*/*/{_DROPPED_MANIFEST}"):
            self._filesystem.rm(manifest_path.rsplit("/", 1)[0], recursive=True)

    def resolve_api_name(self, configured_api_name: str) -> str:
        """Return the name of the API that the lake's responses come from.

        A lake without responses, or without a record of the name, gets the configured name.
        """
        path = f"{self._root}/api/answered_by"
        if self._filesystem.exists(path) and self.find_inputs(["api"]):
            return str(self._filesystem.read_text(path, encoding="utf-8"))
        self._write_file(path, [configured_api_name.encode()])
        return configured_api_name

    def _build_url(self, received: ReceivedInput) -> str:
        """Return the URL for the bytes of an input that is one file.

        Characters of its name that mean something in a URL, in a glob pattern or to Spark become -. A name that is too
        long loses its beginning.
        """
        ascii_name = received.name.encode("ascii", "replace").decode()
        safe_name = _UNSAFE_CHARACTERS.sub("-", ascii_name[-_MAX_NAME_LENGTH:])
        return f"{self.url}/{received.origin}/{received.input_id}/{safe_name}"

    def _get_stored_size(self, received: ReceivedInput) -> int | None:
        """Return the size of an input that is one file, in bytes; None for a missing file."""
        path = self._get_path(received)
        return int(self._filesystem.size(path)) if self._filesystem.exists(path) else None

    def _restore_precedence(self, stored: ReceivedInput, received: ReceivedInput) -> ReceivedInput:
        """Return the manifest of an input that was received again, with the new time if another one replaced it.

        The newest file of a format and name counts. A user who imports an older file again wants that file to count,
        so it must become the newest.
        """
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

    def _get_manifest_path(self, received: ReceivedInput) -> str:
        return f"{self._root}/{received.origin}/{received.input_id}/{_MANIFEST}"

    def _get_path(self, received: ReceivedInput) -> str:
        return f"{self._root}/{received.origin}/{received.input_id}/{received.url.rsplit('/', 1)[-1]}"

    def _find_manifest(self, path: str) -> ReceivedInput | None:
        """Return a manifest; None for a folder that is no complete input, and for a file beside the folders."""
        try:
            return self._read_manifest(path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _read_manifest(self, path: str) -> ReceivedInput:
        return ReceivedInput.from_manifest(self._read_json(path))
