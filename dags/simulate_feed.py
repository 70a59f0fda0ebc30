"""
### Simulate a feed
Makes up listeners and what they do, from the warehouse's catalogue and survey, as two inputs of the lake: events (Avro
records of UserActivity) and users. They enter the warehouse like any other feed, by `load_events`. The hidden truth,
each listener's personality and traits and how many records are wrong on purpose, goes to the schema `simulation`.

The same form and catalogue make the same feed; a longer interval or more listeners make the same ones and more.
`docs/simulator.md` says what is made up, and from what.

**When it fails**, the last line of the log says what to change: mostly the warehouse has no catalogue yet (run
`kaggle_import` first), or the interval has not come yet. **Running it again** is safe: what the lake holds already is
not made again, and a feed that broke off is written anew.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, task

from dags.common.defaults import CATALOGUE_TABLES, FEED_INPUTS, build_default_args, render_doc_page
from dags.common.run_context import get_run_id


def _make_fraction_param(title: str, description: str) -> Param:
    return Param(0.0, type="number", minimum=0, maximum=1, title=title, description=description, section="Dirt")


def _make_timestamp_param(title: str, description: str) -> Param:
    return Param(None, type=["null", "string"], format="date-time", title=title, description=description)


@task(inlets=CATALOGUE_TABLES, outlets=[FEED_INPUTS])
def simulate_feed(**context: Any) -> dict[str, Any]:
    """The population that was made, and the ids and numbers of records of both inputs."""
    from etl.settings import read_settings
    from simulator.jobs import feed

    now = context["dag_run"].run_after
    return feed.simulate_feed(get_run_id(context), feed.parse_parameters(context["params"], now), now, read_settings())


with DAG(
    dag_id="simulate_feed",
    description="Make up listeners and what they do",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    default_args=build_default_args(),
    doc_md=render_doc_page(__doc__),
    tags=["events", "simulation"],
    params={
        "users": Param(
            200, type="integer", minimum=1, maximum=10_000_000, title="Listeners", description="How many of them."
        ),
        "start": _make_timestamp_param("From", "Where the interval begins, UTC. Empty: the hours before its end."),
        "end": _make_timestamp_param(
            "To", "Where it ends, UTC. Empty: the hours after its begin, else the last full hour."
        ),
        "hours": Param(
            72.0, type="number", exclusiveMinimum=0, title="Hours", description="Its length where an end is not given."
        ),
        "records": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Records",
            description="End the feed after so many events, where the interval has more. Empty: the whole interval.",
        ),
        "seed": Param(1, type="integer", title="Seed", description="Another seed makes other listeners."),
        "schema_version": Param(
            2, type="integer", enum=[1, 2], title="Version", description="Version of UserActivity: 1 has 19 fields."
        ),
        "mix": Param(
            {},
            type="object",
            title="Personalities",
            description='How often each is wanted, such as {"ENLC": 2, "Deep Diver": 1}. Empty: all sixteen alike.',
        ),
        "free_share": Param(
            None,
            type=["null", "number"],
            minimum=0,
            maximum=1,
            title="Share of free plans",
            description="From 0 to 1. Empty: as the survey says.",
        ),
        "duplicate": _make_fraction_param("Duplicates", "Share of records that come twice."),
        "late": _make_fraction_param("Late records", "Share of records that stand in the last file."),
        "disorder": _make_fraction_param("Disorder", "Share of records that stand after later ones."),
        "unknown_track": _make_fraction_param("Unknown tracks", "Share of plays of tracks that no catalogue holds."),
        "broken": _make_fraction_param("Broken records", "Share of records that make no sense."),
    },
):
    simulate_feed()
