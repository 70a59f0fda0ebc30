"""What parsing says of each input, and the state of each catalogue: Parquet, so that a refresh computes it once.

<url>/parsed/<code version>/<batch>/<frame>/    accepted, rejected and analysed rows of the inputs of one run
<url>/parsed/<code version>/<batch>.json        the inputs of the batch; written last
<url>/states/<state_id>/<frame>/                the parts of tracks that a refresh reconciled, and their links
<url>/states/<state_id>/id_hashes.arrow         hashes of these tracks; they are in no earlier segment
<url>/states/<state_id>.json                    the segments of a catalogue, and its settings; written last

Rows about tracks have the column id_hash, by which those of some tracks are read. Everything can be computed again from
the inputs.
"""

import hashlib
from collections.abc import Iterable
from functools import cache
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from etl.settings import CHECKOUT
from etl.storage import arrow_files
from etl.storage.folder import LakeFolder


class CatalogueStates(LakeFolder):
    """Parsed inputs and states of catalogues."""

    def find_parsed_inputs(self) -> dict[str, str]:
        """Return the batch of each input that this version of the code has parsed."""
        folder = f"{self._root}/parsed/{compute_code_version()}"
        batches = [name.removesuffix(".json") for name in self._list_names(folder) if name.endswith(".json")]
        return {
            str(input_id): batch
            for batch in reversed(batches)
            for input_id in self._read_json(f"{folder}/{batch}.json")["input_ids"]
        }

    def write_parsed_inputs(self, frames: dict[str, DataFrame], input_ids: Iterable[str]) -> str:
        """Store what was parsed of inputs; return the batch."""
        batch = uuid4().hex
        for name, frame in frames.items():
            frame.write.parquet(self._get_parsed_url(batch, name))
        document = {"input_ids": sorted(input_ids)}
        self._write_json(f"{self._root}/parsed/{compute_code_version()}/{batch}.json", document)
        return batch

    def read_parsed_frame(
        self, spark: SparkSession, batches: Iterable[str], name: str, schema: StructType
    ) -> DataFrame:
        """Return a frame of batches, with all of their inputs."""
        return spark.read.schema(schema).parquet(*(self._get_parsed_url(batch, name) for batch in sorted(batches)))

    def read_parsed_rows(
        self,
        batches: Iterable[str],
        name: str,
        schema: StructType,
        input_ids: Iterable[str],
        id_hashes: np.ndarray | None = None,
    ) -> pa.Table:
        """Return the rows of inputs, without Spark: all, or those about the tracks with some hashes."""
        condition = pc.field("input_id").isin(sorted(input_ids))
        if id_hashes is not None:
            condition &= _has_hash(id_hashes)
        folders = [f"{self._root}/parsed/{compute_code_version()}/{batch}/{name}" for batch in sorted(batches)]
        return self._read_rows(folders, schema, condition)

    def get_parsed_size(self, batches: Iterable[str]) -> int:
        """Return the bytes of batches."""
        return sum(self._get_folder_size(f"{self._root}/parsed/{compute_code_version()}/{batch}") for batch in batches)

    def get_frame_url(self, state_id: str, name: str) -> str:
        """Return the URL of a frame of a state."""
        return f"{self.url}/states/{state_id}/{name}"

    def read_frame(self, spark: SparkSession, state_id: str, name: str, schema: StructType) -> DataFrame:
        """Return a frame of a state."""
        return spark.read.schema(schema).parquet(self.get_frame_url(state_id, name))

    def read_rows(self, state_id: str, name: str, schema: StructType, id_hashes: np.ndarray | None = None) -> pa.Table:
        """Return rows of a frame of a state, without Spark: all, or those about the tracks with some hashes."""
        condition = None if id_hashes is None else _has_hash(id_hashes)
        return self._read_rows([f"{self._root}/states/{state_id}/{name}"], schema, condition)

    def finish_state(self, state_id: str, id_hashes: pa.Table, document: dict[str, Any]) -> None:
        """Store which tracks a state has, and its document, after its frames."""
        arrow_files.write_table(f"{self.url}/states/{state_id}/id_hashes.arrow", id_hashes)
        self._write_json(f"{self._root}/states/{state_id}.json", document)

    def read_id_hashes(self, state_id: str) -> pa.Table:
        """Return what ``finish_state`` stored."""
        return arrow_files.read_table(f"{self.url}/states/{state_id}/id_hashes.arrow")

    def read_document(self, state_id: str) -> dict[str, Any] | None:
        """Return the document of a state; None if it is missing or one of its segments is."""
        try:
            document = self._read_json(f"{self._root}/states/{state_id}.json")
        except FileNotFoundError:
            return None
        is_complete = all(self._filesystem.exists(f"{self._root}/states/{name}.json") for name in document["segments"])
        return document if is_complete else None

    def find_states(self, run_ids: Iterable[str]) -> list[str]:
        """Return the states that runs have left, published or not."""
        names = self._list_names(f"{self._root}/states")
        states = [name.removesuffix(".json") for name in names if name.endswith(".json")]
        return [state_id for state_id in states if state_id.rsplit(".", 1)[0] in set(run_ids)]

    def drop_outdated(self, retained_state_ids: Iterable[str]) -> None:
        """Remove all states except some and their segments, and parsed inputs of other versions of the code."""
        retained = set(retained_state_ids)
        documents = [document for state_id in sorted(retained) if (document := self.read_document(state_id))]
        retained |= {segment for document in documents for segment in document["segments"]}
        for name in self._list_names(f"{self._root}/states"):
            if name.removesuffix(".json") not in retained:
                self._filesystem.rm(f"{self._root}/states/{name}", recursive=True)
        for version in self._list_names(f"{self._root}/parsed"):
            if version != compute_code_version():
                self._filesystem.rm(f"{self._root}/parsed/{version}", recursive=True)

    def _read_rows(self, folders: Iterable[str], schema: StructType, condition: pc.Expression | None) -> pa.Table:
        arrow_schema = to_arrow_schema(schema)
        paths = sorted(path for folder in folders for path in self._filesystem.glob(f"{folder}/*.parquet"))
        if not paths:
            return arrow_schema.empty_table()
        rows = pyarrow.dataset.dataset(paths, filesystem=self._filesystem, format="parquet")
        return rows.to_table(columns=schema.fieldNames(), filter=condition).cast(arrow_schema)

    def _get_parsed_url(self, batch: str, name: str) -> str:
        return f"{self.url}/parsed/{compute_code_version()}/{batch}/{name}"


def _has_hash(id_hashes: np.ndarray) -> pc.Expression:
    return pc.field("id_hash").isin(pa.array(id_hashes, pa.int64()))


@cache
def compute_code_version() -> str:
    """Return a hash of the code and tables that what is stored here depends on."""
    digest = hashlib.sha256()
    for folder in ("etl", "sql/schema"):
        for path in sorted((CHECKOUT / folder).rglob("*.*")):
            if path.suffix in (".py", ".sql"):
                digest.update(path.relative_to(CHECKOUT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
