"""Listeners and what they do, as Spark frames of the contracts, made in parallel and in bulk.

Workers make rows of small numbers by chunks of listeners and days; Spark looks up what the numbers mean and writes Avro
by itself. Where a chunk begins changes nothing in what is made.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.simulate.listeners import activities, personalities, records
from etl.simulate.listeners.activities import BROKEN_WAYS, COLUMNS, DUPLICATE, FIRST_BROKEN, LATE
from etl.simulate.listeners.chance import key_of
from etl.simulate.listeners.library import Library
from etl.simulate.listeners.parameters import Parameters
from etl.simulate.listeners.people import EPOCH, People, people

_ROWS_A_CHUNK = 60_000
_ROWS_A_LISTENER_AND_DAY = 12
_LONGEST_CHUNK_DAYS = 64
_NUMBERS = "number int, code bigint, activity int, at bigint, ms_played int, track int, playlist int, home int, plan int, device int, context int, dirt int"
_PARTITIONS_A_CORE = 4


@dataclass(frozen=True)
class Simulation:
    """A simulation as workers need it: parameters and sorted catalogue."""

    parameters: Parameters
    library: Library

    @cached_property
    def population(self) -> str:
        return self.parameters.population(self.library.fingerprint)

    def people(self, first: int, last: int) -> People:
        """Listeners ``first`` to before ``last``."""
        chosen = self.parameters
        shares = personalities.shares(chosen.mix)
        # The same years for every interval would do; these are enough for this one.
        return people(chosen.seed, np.arange(first, last), chosen.asked, shares, chosen.end.year + 1)

    @cached_property
    def days(self) -> np.ndarray:  # type: ignore[type-arg]
        """The listening days that may reach into the interval, wherever a listener lives."""
        first = (self.parameters.start.date() - EPOCH).days - 2
        last = ((self.parameters.end - timedelta(microseconds=1)).date() - EPOCH).days + 1
        return np.arange(first, last + 1)

    @cached_property
    def chunks(self) -> tuple[int, int, int]:
        """How many chunks there are, and listeners and days of each."""
        days = min(len(self.days), _LONGEST_CHUNK_DAYS)
        listeners = max(_ROWS_A_CHUNK // (days * _ROWS_A_LISTENER_AND_DAY), 1)
        return (
            math.ceil(self.parameters.users / listeners) * math.ceil(len(self.days) / days),
            listeners,
            days,
        )

    def rows(self, chunk: int) -> activities.Activities:
        """What happens in a chunk."""
        _, listeners, days = self.chunks
        of_listeners, of_days = divmod(chunk, math.ceil(len(self.days) / days))
        first = of_listeners * listeners
        who = self.people(first, min(first + listeners, self.parameters.users))
        when = self.days[of_days * days : (of_days + 1) * days]
        chosen = self.parameters
        made = activities.activities(who, when, chosen.asked, self.library, chosen.dirt)
        inside = activities.clipped(made, _milliseconds(chosen.start), _milliseconds(chosen.end))
        if chosen.dirt.is_clean:
            return inside
        root = key_of(chosen.seed, "dirt")
        return activities.soiled(inside, chosen.dirt, root, self.library.known_tracks)

    def numbers(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """What happens in the chunks whose numbers come in."""
        for chunks in batches:
            for chunk in chunks.column(0).to_pylist():
                made = activities.batch(self.rows(chunk))
                if made.num_rows:
                    yield made


def numbers(spark: SparkSession, simulation: Simulation, partitions: int | None = None) -> DataFrame:
    """All rows of a simulation as small numbers: ``activities.COLUMNS``.

    :param partitions: None: a few for each core.
    """
    count = simulation.chunks[0]
    chosen = partitions or min(count, spark.sparkContext.defaultParallelism * _PARTITIONS_A_CORE)
    return spark.range(0, count, 1, chosen).mapInArrow(simulation.numbers, _NUMBERS)


def events(rows: DataFrame, simulation: Simulation, words: records.Words) -> DataFrame:
    """Rows of numbers as records of UserActivity, and ``dirt``."""
    return records.user_activity(rows, simulation.population, words, simulation.parameters.schema_version)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
