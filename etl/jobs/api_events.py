"""What a load of events makes of the API's answers, whose inputs the nightly refresh loads, too, for the catalogue."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from etl.config import Settings
from etl.errors import MustSignInError
from etl.extract.spotify.accounts import Accounts
from etl.extract.spotify.answers import ORIGIN, event_thing_count
from etl.lake import Lake, Received
from etl.load.events import EventLoad
from etl.schemas.api import EVENT_ENDPOINTS
from etl.transform.parsed import Parsed
from etl.transform.spotify import events, things
from etl.warehouse import EVENTS_SUFFIX

_USERS = "account string, user_id string"
_KNOWN_FOLLOWS = "user_id string, artist_id string, event_time timestamp"


def event_id_of(received: Received) -> str:
    """The id under which a load of events takes an input: its own, or that of the events in API answers."""
    return f"{received.input_id}{EVENTS_SUFFIX}" if received.origin == ORIGIN else received.input_id


def as_event_inputs(lake: Lake, inputs: Iterable[Received]) -> list[Received]:
    """Inputs under the ids by which a load of events takes them; of API answers only what tells of events counts."""
    return [
        replace(one, input_id=event_id_of(one), row_count=event_thing_count(lake, one)) if one.origin == ORIGIN else one
        for one in inputs
    ]


def has_events(received: Received) -> bool:
    """Whether an input of ``as_event_inputs`` is worth a load; a feed without records is still accounted for."""
    return received.origin != ORIGIN or received.row_count > 0


def account_ids(settings: Settings) -> dict[str, str]:
    """The account_id of each account that signed in, by the account's name."""
    if not settings.spotify_client_id:
        return {}
    accounts, found = Accounts(settings.state_dir, settings.spotify_client_id), {}
    for name in accounts.names():
        try:
            found[name] = accounts.get(name).account_id
        except MustSignInError:
            continue  # its file cannot be read: its own answers may say who it is
    return found


def parse(
    spark: SparkSession,
    lake: Lake,
    inputs: Sequence[Received],
    ids: Mapping[str, str],
    load: EventLoad,
    is_mock: bool = False,
) -> Parsed:
    """Events out of the API's answers.

    :param inputs: as ``as_event_inputs`` gives them.
    :param ids: of accounts by name; of others their profile among the answers tells who they are.
    :param is_mock: whether the mock API answered.
    """
    lines = lake.read_answers(spark, inputs).where(F.col("endpoint").isin("me", *EVENT_ENDPOINTS))
    held = things.things(lines.withColumn("input_id", F.concat("input_id", F.lit(EVENTS_SUFFIX))))
    told = {row["account"]: row["user_id"] for row in events.users(held).collect()} | dict(ids)
    users = spark.createDataFrame(sorted(told.items()), _USERS)
    follows = [tuple(row.values()) for row in load.known_follows(sorted(set(told.values())))]
    return events.parse(held, users, spark.createDataFrame(follows, _KNOWN_FOLLOWS), is_mock)
