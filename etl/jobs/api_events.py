"""What a load of events makes of the API's answers, whose inputs the nightly refresh loads, too, for the catalogue."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from etl.database import EVENTS_SUFFIX
from etl.errors import MustSignInError
from etl.extract.spotify.account_store import AccountStore
from etl.extract.spotify.responses import ORIGIN, count_event_resources
from etl.formats.contracts.api import EVENT_ENDPOINTS
from etl.load.event_load import EventLoad
from etl.settings import Settings
from etl.storage.inputs import Lake, ReceivedInput
from etl.transform.spotify import account_events, resources
from etl.transform.validation import ValidationResult

_USER_SCHEMA = "account string, user_id string"
_KNOWN_FOLLOW_SCHEMA = "user_id string, artist_id string, event_time timestamp"


def get_event_input_id(received: ReceivedInput) -> str:
    """The id under which a load of events takes an input: its own, or that of the events in API answers."""
    return f"{received.input_id}{EVENTS_SUFFIX}" if received.origin == ORIGIN else received.input_id


def convert_to_event_inputs(lake: Lake, inputs: Iterable[ReceivedInput]) -> list[ReceivedInput]:
    """Inputs under the ids by which a load of events takes them; of API answers only what tells of events counts."""
    return [
        replace(
            received_input,
            input_id=get_event_input_id(received_input),
            row_count=count_event_resources(lake, received_input),
        )
        if received_input.origin == ORIGIN
        else received_input
        for received_input in inputs
    ]


def has_events(received: ReceivedInput) -> bool:
    """Whether an input of ``as_event_inputs`` is worth a load; a feed without records is still accounted for."""
    return received.origin != ORIGIN or received.row_count > 0


def load_account_ids(settings: Settings) -> dict[str, str]:
    """The account_id of each account that signed in, by the account's name."""
    if not settings.spotify_client_id:
        return {}
    accounts, id_by_account = AccountStore(settings.state_dir, settings.spotify_client_id), {}
    for name in accounts.get_names():
        try:
            id_by_account[name] = accounts.get_account(name).account_id
        except MustSignInError:
            continue  # its file cannot be read: its own answers may say who it is
    return id_by_account


def parse_api_events(
    spark: SparkSession,
    lake: Lake,
    inputs: Sequence[ReceivedInput],
    account_ids: Mapping[str, str],
    load: EventLoad,
    is_mock: bool = False,
) -> ValidationResult:
    """Events out of the API's answers.

    :param inputs: as ``as_event_inputs`` gives them.
    :param ids: of accounts by name; of others their profile among the answers tells who they are.
    :param is_mock: whether the mock API answered.
    """
    lines = lake.read_responses(spark, inputs).where(F.col("endpoint").isin("me", *EVENT_ENDPOINTS))
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
