"""One Spark session for all steps of a process: a session for each step would cost more than the steps."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType

from pyspark.sql import SparkSession


def share_session(spark: SparkSession, *modules: ModuleType) -> None:
    """Make ``open_session`` return a session that is already open and stays open, with the options of each step."""

    @contextmanager
    def open_shared_session(
        _settings: object, _name: str, options: Mapping[str, str] | None = None
    ) -> Iterator[SparkSession]:
        with changed_options(spark, options or {}):
            yield spark

    for module in modules:
        assert hasattr(module, "open_session"), f"{module.__name__} opens no session"
        setattr(module, "open_session", open_shared_session)  # noqa: B010  # a module's type has no such attribute


@contextmanager
def changed_options(spark: SparkSession, options: Mapping[str, str]) -> Iterator[None]:
    """Set other options of a running session within the context, except those that only a start can set."""
    changed = {name: value for name, value in options.items() if name.startswith("spark.sql.")}
    before = {name: spark.conf.get(name) for name in changed}
    try:
        for name, value in changed.items():
            spark.conf.set(name, value)
        yield
    finally:
        for name, former in before.items():
            spark.conf.set(name, former)
