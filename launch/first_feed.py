"""Made-up listeners at the first start, so that there are events to look at."""

from etl import database

SIMULATION_DAG = "simulate_feed"
FEED_HOURS = 72
"""How long the feed is."""


def is_feed_wanted(listeners: int, url: str) -> bool:
    """Whether there are listeners to make up: some are asked for, and no feed and no export was loaded yet.

    What accounts saved and played is loaded by itself, sooner or later than this is asked, and so does not count.
    """
    return listeners > 0 and not _has_published_inputs(url, "feed", "account_export")


def _has_published_inputs(url: str, *origins: str) -> bool:
    statement = """
        select exists (
            select
            from audit.run_input as i
            inner join audit.run as r on r.run_id = i.run_id
            where i.origin = any(:origins) and r.result = 'published'
        ) as it
    """
    with database.connect(url) as connection:
        return bool(database.fetch_rows(connection, statement, origins=list(origins))[0]["it"])
