"""What all DAGs share: owner, retries by the kind of failure, timeouts, the failure notice, names of assets."""

import json
import logging
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, BaseNotifier, Context, ExceptionRetryPolicy, RetryAction, RetryDecision, RetryRule
from airflow.sdk.module_loading import import_string

from etl.errors import ActionNeededError, RateLimitedError, TryAgainError

log = logging.getLogger(__name__)


class FailureRetryPolicy(ExceptionRetryPolicy):
    """The rules, and the pause of a server that says how long it wants one: nobody sleeps, the task comes later."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """What the rules say, with ``retry_after_s`` as the delay where the exception has it."""
        if isinstance(exception, RateLimitedError):
            delay = timedelta(seconds=exception.retry_after_s)
            return RetryDecision.retry(delay, "the server asks for a pause of this length")
        return super().evaluate(exception, try_number, max_tries, context)


RETRY_POLICY = FailureRetryPolicy(
    rules=[
        RetryRule(ActionNeededError, RetryAction.FAIL, reason="somebody must act first; a retry cannot help"),
        RetryRule(TryAgainError, RetryAction.RETRY, timedelta(seconds=30), reason="likely to pass by itself"),
    ]
)


def build_failure_callback() -> Callable[[Context], None] | BaseNotifier:
    """What is called when a task has failed for good.

    FAILURE_NOTIFIER, a JSON object, names any of Airflow's notifiers and its arguments, such as
    ``{"class": "airflow.providers.smtp.notifications.smtp.SmtpNotifier", "to": "me@example.org"}``; without it the
    failure is logged, and the report shows it.
    """
    notifier_config = os.environ.get("FAILURE_NOTIFIER")
    if not notifier_config:
        return log_failure
    arguments: dict[str, Any] = json.loads(notifier_config)
    notifier: BaseNotifier = import_string(arguments.pop("class"))(**arguments)
    return notifier


def log_failure(context: Context) -> None:
    """Say in one line what failed and why."""
    task_instance = context["task_instance"]
    log.error("%s.%s has failed: %s", task_instance.dag_id, task_instance.task_id, context.get("exception"))


def build_default_args() -> dict[str, Any]:
    """Arguments of every task; how long it waits before it is tried again is Airflow's default_task_retry_delay."""
    return {
        "owner": "warehouse",
        "retries": 2,
        "retry_policy": RETRY_POLICY,
        "execution_timeout": timedelta(hours=2),
        "on_failure_callback": build_failure_callback(),
    }


def render_doc_page(text: str) -> str:
    """A DAG's page from its docstring; it says so where a stand-in answers in Spotify's place."""
    is_mock_api = os.environ.get("IS_STAND_IN") == "true"
    return f"{text}\n**Spotify's answers are made up by the stand-in**: no client id is set.\n" if is_mock_api else text


def make_table_asset(name: str) -> Asset:
    """The asset of a table, such as ``warehouse.dim_track``."""
    return Asset(name=name, uri=f"postgres://warehouse/{name.replace('.', '/')}", group="warehouse")


KAGGLE_INPUTS = Asset(name="lake.kaggle", uri="lake://kaggle", group="lake")
FEED_INPUTS = Asset(name="lake.feed", uri="lake://feed", group="lake")
EXPORT_INPUTS = Asset(name="lake.account_export", uri="lake://account_export", group="lake")
API_INPUTS = Asset(name="lake.api", uri="lake://api", group="lake")
RECENTLY_PLAYED_INPUTS = Asset(name="lake.api.recently_played", uri="lake://api/recently_played", group="lake")
REFRESH_END = Asset(name="refresh.end", uri="refresh://end", group="warehouse")
MART_TABLES = Asset(name="mart", uri="postgres://warehouse/mart", group="warehouse")
EVENT_TABLES = [make_table_asset("warehouse.fact_event"), make_table_asset("warehouse.fact_spoken_event")]
CATALOGUE_TABLES = [
    make_table_asset(f"warehouse.{name}")
    for name in (
        "dim_artist",
        "dim_album",
        "dim_track",
        "track_alias",
        "dim_genre",
        "bridge_track_artist",
        "bridge_track_genre",
        "dim_audio_cluster",
        "dim_playlist",
        "fact_playlist_track",
        "survey_response",
        "dim_user",
        "fact_track_popularity",
        "fact_artist_popularity",
    )
]
