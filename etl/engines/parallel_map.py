"""The same work on many parts: side by side on this machine's cores, or on a Spark cluster's."""

import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from etl.engines.spark import LazySession

_LOCAL = re.compile(r"local(?:\[(?P<cores>\d+|\*)(?:,\d+)?\])?$")


Item = TypeVar("Item")
Result = TypeVar("Result")


def parallel_map(spark: LazySession, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """What ``work`` makes of each part, in their order.

    On this machine threads do it: the libraries that work on columns let go of Python's lock, and no JVM is started.

    :param spark: says where Spark is; started on a cluster only.
    :param work: a function that pickles, as do the parts and the results; tried again, it does the same.
    """
    local_master = _LOCAL.match(spark.master)
    if not items:
        return []
    if local_master is None:
        return list(spark().sparkContext.parallelize(items, len(items)).map(function).collect())
    cores = local_master["cores"] or "1"
    with ThreadPoolExecutor(os.cpu_count() if cores == "*" else int(cores)) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
