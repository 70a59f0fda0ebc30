"""Events in API responses.

The refresh loads the same inputs for the catalogue, so a load of events registers them under separate ids.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from etl.database import EVENTS_SUFFIX
from etl.errors import MustSignInError
from etl.extract.spotify.account_store import AccountStore
from etl.formats.api_responses import ORIGIN, count_event_resources
from etl.formats.contracts.api import EVENT_ENDPOINTS
from etl.load.event_load import EventLoad
from etl.settings import Settings
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from etl.transform.spotify import account_events, resources
from etl.transform.validation import ValidationResult

_USER_SCHEMA = "account string, user_id string"
_KNOWN_FOLLOW_SCHEMA = "user_id string, artist_id string, event_time timestamp"


def get_event_input_id(origin: str, input_id: str) -> str:
    """Return the id under which a load of events takes an input: for API responses not the input's own."""
    return f"{input_id}{EVENTS_SUFFIX}" if origin == ORIGIN else input_id


def convert_to_event_inputs(lake: Lake, inputs: Iterable[ReceivedInput]) -> list[ReceivedInput]:
    """Return the inputs under their ids in a load of events; ``row_count`` of API responses counts events only."""
    return [
        replace(
            received_input,
            input_id=get_event_input_id(received_input.origin, received_input.input_id),
            row_count=count_event_resources(lake.inputs.read_lines(received_input)),
        )
        if received_input.origin == ORIGIN
        else received_input
        for received_input in inputs
    ]


def has_events(received: ReceivedInput) -> bool:
    """Return whether an input of ``convert_to_event_inputs`` needs a load; an empty feed does, for its row counts."""
    return received.origin != ORIGIN or received.row_count > 0


def load_account_ids(settings: Settings) -> dict[str, str]:
    """Return the account_id of each account that has signed in, by the account's name."""
    if not settings.spotify_client_id:
        return {}
    accounts, id_by_account = AccountStore(settings.state_dir, settings.spotify_client_id), {}
    for name in accounts.get_names():
        try:
            id_by_account[name] = accounts.get_account(name).account_id
        except MustSignInError:
            continue  # the file is unreadable, but a profile among the account's responses may have the id
    return id_by_account


def parse_api_events(
    spark: SparkSession,
    lake: Lake,
    inputs: Sequence[ReceivedInput],
    account_ids: Mapping[str, str],
    load: EventLoad,
    is_mock: bool = False,
) -> ValidationResult:
    """Parse the events in API responses.

    :param inputs: the result of ``convert_to_event_inputs``.
    :param account_ids: user ids by account name; the ids of further accounts come from profiles among the responses.
    :param is_mock: whether the responses come from the mock API.
    """
    lines = lake.inputs.read_responses(spark, inputs).where(F.col("endpoint").isin("me", *EVENT_ENDPOINTS))
    exploded_resources = resources.explode_resources(
        lines.withColumn("input_id", F.concat("input_id", F.lit(EVENTS_SUFFIX)))
    )
    user_by_account = {
        row["account"]: row["user_id"] for row in account_events.resolve_users(exploded_resources).collect()
    } | dict(account_ids)
    users = spark.createDataFrame(sorted(user_by_account.items()), _USER_SCHEMA)
    follows = [tuple(row.values()) for row in load.list_known_follows(sorted(set(user_by_account.values())))]
    return account_events.parse_events(
        exploded_resources, users, spark.createDataFrame(follows, _KNOWN_FOLLOW_SCHEMA), is_mock
    )
