"""One function on many items: on this machine's cores, or on the executors of a Spark cluster."""

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
    """Return the results of a function on each item, in the order of the items.

    A local master uses threads: libraries for columns release Python's lock, and no JVM has to start.

    :param spark: started only if its master is a cluster.
    :param function: can be pickled, as can items and results; idempotent, because Spark may call it again.
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
