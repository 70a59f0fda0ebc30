"""Simulated listeners as records of the contract ``user``, and the truth that scores the inference."""

from collections.abc import Iterable, Iterator
from functools import cache
from random import Random

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simulator import synthetic_names
from simulator.listeners import personalities
from simulator.listeners.growth import NEVER
from simulator.listeners.habits import GENDERS, PLANS
from simulator.listeners.hashed_draws import Integers
from simulator.listeners.homes import HOMES
from simulator.listeners.population import Listeners
from simulator.listeners.sessions import compute_day_begins
from simulator.listeners.survey_preferences import draw_genres
from simulator.listeners.taste import choose_favourite_genres
from simulator.listeners.track_library import Library

_WORD_COUNT = 1024

USER_SCHEMA = pa.schema(
    [
        ("userId", pa.string()),
        ("username", pa.string()),
        ("birthdate", pa.date32()),
        ("gender", pa.string()),
        ("country", pa.string()),
        ("continent", pa.string()),
        ("timezone", pa.string()),
        ("favouriteGenre", pa.string()),
        ("subscriptionType", pa.string()),
        ("updatedAt", pa.timestamp("us", "UTC")),
    ]
)
"""The fields of the contract ``user``."""

TRUTH_SCHEMA = pa.schema(
    [
        ("user_id", pa.string()),
        ("population", pa.string()),
        ("seed", pa.int64()),
        ("personality", pa.string()),
        *((trait, pa.float64()) for trait in personalities.TRAITS),
        ("sign_up_date", pa.date32()),
        ("churn_date", pa.date32()),
    ]
)
"""The columns of ``STAGED["listener"]``."""


def make_user_ids(listeners: Listeners, population: str) -> npt.NDArray[np.str_]:
    """Return the ids of listeners, derived from the population and the number."""
    return np.char.add(f"madeup-{population}-", listeners.numbers.astype(str))


def make_user_batch(listeners: Listeners, population: str, library: Library, end_ms: int) -> pa.RecordBatch:
    """Return a record of each listener at sign-up, and one for each change before ``end_ms``, in order of time.

    :param end_ms: UTC, ms since 1970.
    """
    changed_listeners, change_day = listeners.find_changes()
    listener = np.concatenate([np.arange(len(listeners.numbers)), changed_listeners])
    day = np.concatenate([listeners.joined_days, change_day])
    plan, home, name = listeners.find_state(listener, day)
    since = _find_day_begins(home, day)
    order = np.lexsort((since, listener))
    order = order[since[order] < end_ms]
    listener, home = listener[order], home[order]
    genres = np.array(library.genres)[choose_favourite_genres(draw_genres(listeners, library), library)]
    columns = [
        make_user_ids(listeners, population)[listener],
        make_usernames(name[order]),
        listeners.birthdays[listener].astype("datetime64[D]"),
        np.array(GENDERS)[listeners.gender[listener]],
        np.array([residence.country for residence in HOMES])[home],
        np.array([residence.continent for residence in HOMES])[home],
        np.array([residence.timezone for residence in HOMES])[home],
        genres[listener],
        np.array(PLANS)[plan[order]],
        since[order].astype("datetime64[ms]").astype("datetime64[us]"),
    ]
    return pa.RecordBatch.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, USER_SCHEMA, strict=True)], schema=USER_SCHEMA
    )


def make_truth_batch(listeners: Listeners, population: str, seed: int) -> pa.RecordBatch:
    """Return personality and traits of each listener, the day of the first record, and the first day after the last."""
    size = len(listeners.numbers)
    has_churned = listeners.churn_days != NEVER
    churn_dates = np.where(has_churned, listeners.churn_days, 0).astype("datetime64[D]")
    columns = [
        make_user_ids(listeners, population),
        np.full(size, population),
        np.full(size, seed),
        personalities.find_codes(listeners.traits),
        *listeners.traits.T,
        listeners.joined_days.astype("datetime64[D]"),
        pa.array(churn_dates, pa.date32(), mask=~has_churned),
    ]
    return pa.RecordBatch.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, TRUTH_SCHEMA, strict=True)], schema=TRUTH_SCHEMA
    )


def make_usernames(numbers: Integers) -> npt.NDArray[np.str_]:
    """Return plainly invented names, from numbers below 2 to the 40th."""
    syllable_words = _make_words()
    first_word, second_word = (
        syllable_words[numbers % _WORD_COUNT],
        syllable_words[numbers // _WORD_COUNT % _WORD_COUNT],
    )
    return np.char.add(np.char.add(first_word, second_word), (numbers // _WORD_COUNT**2 % 1000).astype(str))


@cache
def _make_words() -> npt.NDArray[np.str_]:
    random = Random("usernames")
    return np.array([synthetic_names.make_word(random).lower() for _ in range(_WORD_COUNT)])


def _find_day_begins(home: Integers, day: Integers) -> Integers:
    """Return the begin of a listening day in each home, when the changes of that day take effect."""
    days, day_index = np.unique(day, return_inverse=True)
    grid = compute_day_begins(np.arange(len(HOMES))[:, None].repeat(len(days), axis=1), days)
    return grid[home, day_index]


def read_chunk_indexes(batches: Iterable[pa.RecordBatch]) -> Iterator[int]:
    """Yield the chunk indexes that Spark assigns to a worker."""
    for batch in batches:
        yield from batch.column(0).to_pylist()
