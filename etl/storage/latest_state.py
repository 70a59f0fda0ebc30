"""The latest state of each API resource as of a run: ``contracts.LATEST_STATE`` as Parquet, by run and frame."""

from collections.abc import Iterable

from pyspark.sql import DataFrame, SparkSession

from etl.engines.spark import empty_frame
from etl.formats.contracts import LATEST_STATE
from etl.storage.folder import LakeFolder


class LatestState(LakeFolder):
    """The latest API state of all runs: <url>/<run_id>/<frame>/."""

    def write_frame(self, frame: DataFrame, run_id: str, name: str) -> None:
        """Store a frame of the state as of a run; replace an earlier one of this name."""
        frame.write.mode("overwrite").parquet(f"{self.url}/{run_id}/{name}")

    def read_frame(self, spark: SparkSession, run_id: str | None, name: str) -> DataFrame:
        """Return a frame of the state as of a run; an empty one for no run."""
        if run_id is None:
            return empty_frame(spark, LATEST_STATE[name])
        return spark.read.schema(LATEST_STATE[name]).parquet(f"{self.url}/{run_id}/{name}")

    def get_size_bytes(self, run_id: str | None) -> int:
        """Return the size of the state as of a run; 0 for no run."""
        return self._get_folder_size(f"{self._root}/{run_id}") if run_id else 0

    def has_frames(self, run_id: str) -> bool:
        """Return whether all frames of a run are there and complete."""
        # Spark writes _SUCCESS when all files of a frame are in place.
        paths = (f"{self._root}/{run_id}/{name}/_SUCCESS" for name in LATEST_STATE)
        return all(self._filesystem.exists(path) for path in paths)

    def drop_outdated(self, retained_run_ids: Iterable[str]) -> int:
        """Remove the states of all runs except some; they can be rebuilt from the inputs.

        :returns: the number of states removed.
        """
        outdated = set(self._list_names(self._root)) - set(retained_run_ids)
        for run_id in outdated:
            self._filesystem.rm(f"{self._root}/{run_id}", recursive=True)
        return len(outdated)
