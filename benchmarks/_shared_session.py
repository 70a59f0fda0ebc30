"""One Spark session for all steps of a process: a session for each step would cost more than the steps."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from pyspark.sql import SparkSession


def share_session(spark: SparkSession, *modules: ModuleType) -> None:
    """Make ``open_session`` return a session that is already open and stays open."""

    @contextmanager
    def open_shared_session(*_: object) -> Iterator[SparkSession]:
        yield spark

    for module in modules:
        assert hasattr(module, "open_session"), f"{module.__name__} opens no session"
        setattr(module, "open_session", open_shared_session)  # noqa: B010  # a module's type has no such attribute
