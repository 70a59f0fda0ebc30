"""
### Simulate a feed
Simulates listeners and their listening events, from the warehouse's catalogue and survey.

| contract | where it goes |
| --- | --- |
| `user_activity_2`, `user_activity_1` | two inputs of the lake, events and users, for `load_events` |
| `spotify_wrapped_data` | a folder of records of SpotifyWrappedData: an event with its user and song |
| `entities` | a folder with the four entities user, track, artist and event |

The folder lies below `STATE_DIR/exports`; the task's return value (XCom) names it. `bin/simulate-feed --folder` names
another one.

With the destination `topic`, the events go to Kafka instead (`bin/run --streams` starts one), as fast as possible or at
the requested pace: `docs/simulator.md` describes streams.

The truth about listeners whose feed goes into the lake goes to the schema `simulation`: each one's personality, traits,
and days of signing up and leaving, the episodes of anomalous listeners, outages and holidays of a growing population,
and the number of injected errors.

The same form and catalogue give the same feed; a longer interval or more listeners give the same ones and more.
`docs/simulator.md` says what is synthetic, and what it is drawn from.

**If it fails**: the last line of the log says what to change. Usually the warehouse has no catalogue yet (run
`kaggle_import` first), or the interval is in the future, or there is no Kafka for the destination `topic`.

**Is a rerun safe?** Yes. A feed that is already in the lake is not written again, and an interrupted one is rewritten.
A stream goes on after its last confirmed message.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, task

from dags.common.assets import CATALOGUE_TABLES, FEED_INPUTS
from dags.common.params import make_fraction_param, make_timestamp_param, render_doc_page
from dags.common.retries import build_default_args
from dags.common.run_context import get_run_id

_ERRORS = "Injected errors"


@task(inlets=CATALOGUE_TABLES, outlets=[FEED_INPUTS])
def simulate_feed(**context: Any) -> dict[str, Any]:
    """Return the population, and the ids or the folder of what was written with the numbers of records."""
    from etl.settings import read_settings
    from simulator.jobs import feed_form

    now = context["dag_run"].run_after
    return feed_form.simulate_form(get_run_id(context), context["params"], now, read_settings())


with DAG(
    dag_id="simulate_feed",
    description="Simulate listeners and their listening events",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    default_args=build_default_args(),
    doc_md=render_doc_page(__doc__),
    tags=["events", "simulation"],
    params={
        "users": Param(
            200,
            type="integer",
            minimum=1,
            maximum=10_000_000,
            title="Listeners",
            description="The number of listeners.",
        ),
        "start": make_timestamp_param("From", "Begin of the interval, UTC. Empty: the hours before its end."),
        "end": make_timestamp_param(
            "To", "End of the interval, UTC. Empty: the hours after its begin, else the last full hour."
        ),
        "hours": Param(
            72.0, type="number", exclusiveMinimum=0, title="Hours", description="Length of the interval without an end."
        ),
        "destination": Param(
            "lake",
            type="string",
            enum=["lake", "topic"],
            title="Destination",
            description="The lake, or the topic of events in Kafka (with the contract user_activity_2).",
        ),
        "speed": Param(
            None,
            type=["null", "number"],
            exclusiveMinimum=0,
            title="Speed",
            description="To the topic: so many times as fast as real time. Empty: as fast as possible.",
        ),
        "rate": Param(
            None,
            type=["null", "number"],
            exclusiveMinimum=0,
            title="Rate",
            description="To the topic: so many messages a second. Empty: as fast as possible.",
        ),
        "records": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Records",
            description="End the feed after so many events. Empty: the whole interval.",
        ),
        "seed": Param(1, type="integer", title="Seed", description="Another seed gives other listeners."),
        "contract": Param(
            "user_activity_2",
            type="string",
            enum=["user_activity_2", "user_activity_1", "spotify_wrapped_data", "entities"],
            title="Contract",
            description="The Avro contract. user_activity goes into the lake, the others into a folder.",
        ),
        "mix": Param(
            {},
            type="object",
            title="Personalities",
            description='Weight of each, such as {"ENLC": 2, "Deep Diver": 1}. Empty: all sixteen equally.',
        ),
        "free_share": Param(
            None,
            type=["null", "number"],
            minimum=0,
            maximum=1,
            title="Fraction of free plans",
            description="From 0 to 1. Empty: the survey's.",
        ),
        "anomalous_share": make_fraction_param(
            "Anomalous listeners", "Fraction of listeners who behave anomalously, such as a bot.", "Anomalies"
        ),
        "growing_since": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Growing since",
            description="The day on which a service opens whose listeners sign up, leave and change over time. Empty: "
            "all have signed up long ago.",
        ),
        "duplicate": make_fraction_param("Duplicates", "Fraction of records that come twice.", _ERRORS),
        "late": make_fraction_param("Late records", "Fraction of records that stand in the last file.", _ERRORS),
        "disorder": make_fraction_param("Disorder", "Fraction of records that stand after later ones.", _ERRORS),
        "unknown_track": make_fraction_param(
            "Unknown tracks", "Fraction of plays whose track is in no catalogue.", _ERRORS
        ),
        "broken": make_fraction_param("Broken records", "Fraction of records with an invalid value.", _ERRORS),
        "undecodable": make_fraction_param(
            "Undecodable messages", "To the topic: fraction of messages that are no Avro of the contract.", _ERRORS
        ),
    },
):
    simulate_feed()
