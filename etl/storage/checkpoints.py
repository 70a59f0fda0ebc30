"""Checkpoints: data that the steps of a pipeline run store for later steps and for another try.

<url>/<run_id>/<frame>/          Parquet
<url>/<run_id>/<name>.json       documents
<url>/<run_id>/<folder>/<name>   bytes, such as API responses until a fetch is complete
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from pyarrow import parquet
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from etl.errors import ActionNeededError
from etl.storage.folder import LakeFolder

RESPONSE_FOLDER = "answers"
"""The folder of a run in which fetches store their API responses until they are complete."""


class Checkpoints(LakeFolder):
    """Checkpoints of all runs."""

    def write_frame(self, frame: DataFrame, run_id: str, name: str) -> None:
        """Store a frame for the next step of a run; replace an earlier one of this name."""
        frame.write.mode("overwrite").parquet(self.get_folder_url(run_id, name))

    def read_frame(self, spark: SparkSession, run_id: str, name: str, schema: StructType) -> DataFrame:
        """Return a frame that an earlier step of the run stored."""
        return spark.read.schema(schema).parquet(self.get_folder_url(run_id, name))

    def read_table(self, run_id: str, name: str, schema: StructType) -> pa.Table:
        """Return a small frame that an earlier step of the run stored, with the columns and types of ``schema``."""
        table = parquet.read_table(f"{self._root}/{run_id}/{name}", filesystem=self._filesystem)
        return table.select(schema.fieldNames()).cast(to_arrow_schema(schema))

    def get_size_bytes(self, run_id: str, names: Iterable[str]) -> int:
        """Return the size of stored frames together."""
        return sum(self._get_folder_size(f"{self._root}/{run_id}/{name}") for name in names)

    def find_frame_files(self, run_id: str, name: str) -> list[str]:
        """Return the URLs of the Parquet files of a stored frame, sorted."""
        paths = sorted(self._filesystem.glob(f"{self._root}/{run_id}/{name}/*.parquet"))
        return [str(self._filesystem.unstrip_protocol(path)) for path in paths]

    def write_document(self, run_id: str, name: str, document: dict[str, Any]) -> None:
        """Store a small JSON document for the next step of a run; replace an earlier one of this name."""
        self._write_json(f"{self._root}/{run_id}/{name}.json", document)

    def read_document(self, run_id: str, name: str) -> dict[str, Any]:
        """Return a document that an earlier step of the run stored.

        :raises ActionNeededError: if it is missing: the step did not finish, or maintenance swept its checkpoints.
        """
        try:
            return self._read_json(f"{self._root}/{run_id}/{name}.json")
        except FileNotFoundError:
            raise ActionNeededError(
                f"The run {run_id} left no {name} in the lake: run its earlier steps again (clear them in Airflow)."
            ) from None

    def write_bytes(self, run_id: str, name: str, content: bytes) -> None:
        """Store bytes for another try of the same step; replace earlier ones of this name.

        :param name: may contain folders.
        """
        self._write_file(f"{self._root}/{run_id}/{name}", [content])

    def read_bytes(self, run_id: str, name: str) -> bytes | None:
        """Return the bytes that an earlier try stored under ``name``, or None."""
        try:
            content: bytes = self._filesystem.cat_file(f"{self._root}/{run_id}/{name}")
        except FileNotFoundError:
            return None
        return content

    def get_folder_url(self, run_id: str, folder: str) -> str:
        """Return the URL of a folder of a run."""
        return f"{self.url}/{run_id}/{folder}"

    def list_names(self, run_id: str, folder: str) -> list[str]:
        """Return the names of the files and folders in a folder of a run, sorted, without drafts."""
        return self._list_names(f"{self._root}/{run_id}/{folder}")

    def drop_folder(self, run_id: str, folder: str) -> None:
        """Remove a folder of a run."""
        path = f"{self._root}/{run_id}/{folder}"
        if self._filesystem.exists(path):
            self._filesystem.rm(path, recursive=True)

    def drop_frames_and_documents(self, run_id: str) -> None:
        """Remove the frames and documents of a run; API responses of an unfinished fetch stay."""
        for path in self._filesystem.ls(f"{self._root}/{run_id}", detail=False):
            if not path.rstrip("/").endswith(f"/{RESPONSE_FOLDER}"):
                self._filesystem.rm(path, recursive=True)

    def find_run_ids(self) -> list[str]:
        """Return the ids of all runs that have checkpoints, sorted."""
        return self._list_names(self._root)

    def get_last_write_time(self, run_id: str) -> datetime:
        """Return when a checkpoint of a run was last written; the epoch for a run without files."""
        files = self._filesystem.find(f"{self._root}/{run_id}")
        return max((self._get_modified_at(path) for path in files), default=datetime.fromtimestamp(0, UTC))

    def drop_run(self, run_id: str) -> None:
        """Remove all checkpoints of a run."""
        self._filesystem.rm(f"{self._root}/{run_id}", recursive=True)
