"""The same work on many parts: side by side on this machine's cores, or on a Spark cluster's."""

import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from etl.spark import LazySession

_LOCAL = re.compile(r"local(?:\[(?P<cores>\d+|\*)(?:,\d+)?\])?$")


Part = TypeVar("Part")
Result = TypeVar("Result")


def spread(spark: LazySession, work: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """What ``work`` makes of each part, in their order.

    On this machine threads do it: the libraries that work on columns let go of Python's lock, and no JVM is started.

    :param spark: says where Spark is; started on a cluster only.
    :param work: a function that pickles, as do the parts and the results; tried again, it does the same.
    """
    found = _LOCAL.match(spark.master)
    if not parts:
        return []
    if found is None:
        return list(spark().sparkContext.parallelize(parts, len(parts)).map(work).collect())
    told = found["cores"] or "1"
    with ThreadPoolExecutor(os.cpu_count() if told == "*" else int(told)) as pool:
        futures = [pool.submit(work, part) for part in parts]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
