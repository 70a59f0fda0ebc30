"""Frames as folders of Parquet files: large ones written by Spark, small ones collected and written by this process."""

from collections.abc import Mapping

from fsspec.core import url_to_fs
from pyarrow import parquet
from pyspark.sql import DataFrame


def write_frames(frames: Mapping[str, DataFrame], is_small: bool) -> None:
    """Write frames, by their URLs, over earlier ones.

    :param is_small: whether this process may hold all of their rows.
    """
    if not is_small:
        for url, frame in frames.items():
            frame.write.mode("overwrite").parquet(url)
        return
    for url, frame in frames.items():
        table = frame.toArrow()
        filesystem, path = url_to_fs(url)
        if filesystem.exists(path):
            filesystem.rm(path, recursive=True)
        filesystem.makedirs(path)
        parquet.write_table(table, f"{path}/part-00000.parquet", filesystem=filesystem)
        # Spark's mark of a folder that is complete.
        filesystem.touch(f"{path}/_SUCCESS")
