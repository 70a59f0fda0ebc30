"""Arrow tables as files, at any URL that fsspec reaches."""

from collections.abc import Iterable

import pyarrow as pa
from fsspec.core import url_to_fs

_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


def write_table(url: str, table: pa.Table) -> None:
    """Write a table, over an earlier file."""
    filesystem, path = url_to_fs(url)
    filesystem.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
    with filesystem.open(path, "wb") as target, pa.ipc.new_file(target, table.schema, options=_OPTIONS) as writer:
        writer.write_table(table)


def read_table(url: str) -> pa.Table:
    """Return a table that ``write_table`` wrote."""
    filesystem, path = url_to_fs(url)
    with filesystem.open(path, "rb") as source:
        return pa.ipc.open_file(source).read_all()


def sort_largest_first(urls: Iterable[str]) -> list[str]:
    """Return the URLs of files by size, the largest first.

    Processed in parallel in this order, the last files are small, so that no core waits long for another.
    """

    def get_size(url: str) -> int:
        filesystem, path = url_to_fs(url)
        return int(filesystem.size(path))

    return sorted(urls, key=get_size, reverse=True)
