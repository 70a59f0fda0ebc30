"""The PostgreSQL warehouse, as far as more than the load needs it.

    connection  connections, the lock that guards the warehouse, what to do where it fails
    runs        what the audit knows of earlier runs, and how a run ended that published nothing
    fetches     what fetches from the API know of earlier ones
    sessions    sessions of logins, and a watch that none of them holds up what changes the warehouse
    sweeping    what nobody needs any more, removed

SQLAlchemy lives here and in ``load``.
"""

from etl.warehouse.connection import (
    address,
    connect,
    engine,
    exclusive,
    explained,
    explained_code,
    has_control_characters,
    libpq_url,
    rows,
)
from etl.warehouse.runs import (
    CUT_SHORT,
    EVENT_JOB,
    EVENTS_SUFFIX,
    FROM_OUTSIDE,
    MARKED,
    TOOK_TOO_LONG,
    current_fit,
    current_memory,
    has_release_after_bounds,
    let_begin_again,
    newness_bounds,
    published_inputs,
    published_until,
    record_failed_run,
    record_failure,
    record_nothing_new,
    take_back_failure,
)
from etl.warehouse.sweeping import empty_staging, sweep

__all__ = [
    "CUT_SHORT",
    "EVENTS_SUFFIX",
    "EVENT_JOB",
    "FROM_OUTSIDE",
    "MARKED",
    "TOOK_TOO_LONG",
    "address",
    "connect",
    "current_fit",
    "current_memory",
    "empty_staging",
    "engine",
    "exclusive",
    "explained",
    "explained_code",
    "has_control_characters",
    "has_release_after_bounds",
    "let_begin_again",
    "libpq_url",
    "newness_bounds",
    "published_inputs",
    "published_until",
    "record_failed_run",
    "record_failure",
    "record_nothing_new",
    "rows",
    "sweep",
    "take_back_failure",
]
