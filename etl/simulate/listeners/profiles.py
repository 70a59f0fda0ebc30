"""Who made-up listeners are: their records of the contract ``user``, and the truth that inference is scored by."""

from collections.abc import Iterable, Iterator
from functools import cache
from random import Random

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from etl.simulate import names
from etl.simulate.listeners import personalities
from etl.simulate.listeners.chance import Integers
from etl.simulate.listeners.habits import GENDERS, PLANS
from etl.simulate.listeners.homes import HOMES
from etl.simulate.listeners.library import Library
from etl.simulate.listeners.people import People
from etl.simulate.listeners.sessions import day_begins
from etl.simulate.listeners.taste import favourite_genres
from etl.simulate.listeners.wishes import genre_draws

_WORDS = 1024

USER = pa.schema(
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

TRUTH = pa.schema(
    [
        ("user_id", pa.string()),
        ("population", pa.string()),
        ("seed", pa.int64()),
        ("personality", pa.string()),
        *((trait, pa.float64()) for trait in personalities.TRAITS),
    ]
)
"""The columns of ``STAGED["listener"]``."""


def user_ids(people: People, population: str) -> npt.NDArray[np.str_]:
    """The ids of listeners: made from the population and the number."""
    return np.char.add(f"madeup-{population}-", people.numbers.astype(str))


def users(people: People, population: str, library: Library, end_ms: int) -> pa.RecordBatch:
    """A record for each listener as they signed up, and one for each change before a moment, in order of time.

    :param end_ms: UTC, ms since 1970.
    """
    changed, change_day = people.changes()
    listener = np.concatenate([np.arange(len(people.numbers)), changed])
    day = np.concatenate([people.joined, change_day])
    plan, home, name = people.at(listener, day)
    since = _begins(home, day)
    order = np.lexsort((since, listener))
    order = order[since[order] < end_ms]
    listener, home = listener[order], home[order]
    genres = np.array(library.genres)[favourite_genres(genre_draws(people, library), library)]
    columns = [
        user_ids(people, population)[listener],
        usernames(name[order]),
        people.birthdays[listener].astype("datetime64[D]"),
        np.array(GENDERS)[people.gender[listener]],
        np.array([one.country for one in HOMES])[home],
        np.array([one.continent for one in HOMES])[home],
        np.array([one.timezone for one in HOMES])[home],
        genres[listener],
        np.array(PLANS)[plan[order]],
        since[order].astype("datetime64[ms]").astype("datetime64[us]"),
    ]
    return pa.RecordBatch.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, USER, strict=True)], schema=USER
    )


def truth(people: People, population: str, seed: int) -> pa.RecordBatch:
    """The personality and traits of each listener."""
    size = len(people.numbers)
    columns = [
        user_ids(people, population),
        np.full(size, population),
        np.full(size, seed),
        personalities.codes_of(people.traits),
        *people.traits.T,
    ]
    return pa.RecordBatch.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, TRUTH, strict=True)], schema=TRUTH
    )


def usernames(drawn: Integers) -> npt.NDArray[np.str_]:
    """Plainly invented names, from numbers below 2 to the 40th."""
    words = _words()
    first, second = words[drawn % _WORDS], words[drawn // _WORDS % _WORDS]
    return np.char.add(np.char.add(first, second), (drawn // _WORDS**2 % 1000).astype(str))


@cache
def _words() -> npt.NDArray[np.str_]:
    random = Random("usernames")
    return np.array([names.word(random).lower() for _ in range(_WORDS)])


def _begins(home: Integers, day: Integers) -> Integers:
    """The begin of a listening day in each home: when what changes on it changes."""
    days, place = np.unique(day, return_inverse=True)
    grid = day_begins(np.arange(len(HOMES))[:, None].repeat(len(days), axis=1), days)
    return grid[home, place]


def in_batches(chunks: Iterable[pa.RecordBatch]) -> Iterator[int]:
    """The numbers that Spark deals to a worker."""
    for chunk in chunks:
        yield from chunk.column(0).to_pylist()
