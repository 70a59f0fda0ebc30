"""Arguments of all tasks: owner, timeout, retries by the kind of error, and the failure notification."""

import json
import logging
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseNotifier, Context, ExceptionRetryPolicy, RetryAction, RetryDecision, RetryRule
from airflow.sdk.module_loading import import_string

from etl.errors import ActionNeededError, RateLimitedError, TryAgainError

log = logging.getLogger(__name__)


class FailureRetryPolicy(ExceptionRetryPolicy):
    """The retry rules, with the pause that a rate limit requires: the task is retried later instead of sleeping."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Return the decision of the rules, or a retry after ``retry_after_s`` for a rate limit."""
        if isinstance(exception, RateLimitedError):
            delay = timedelta(seconds=exception.retry_after_s)
            return RetryDecision.retry(delay, "the server asks for this pause")
        return super().evaluate(exception, try_number, max_tries, context)


RETRY_POLICY = FailureRetryPolicy(
    rules=[
        RetryRule(ActionNeededError, RetryAction.FAIL, reason="the operator must act first; a retry cannot help"),
        RetryRule(TryAgainError, RetryAction.RETRY, timedelta(seconds=30), reason="the cause is probably temporary"),
    ]
)


def build_failure_callback() -> Callable[[Context], None] | BaseNotifier:
    """Return the callback for tasks that have failed after all retries.

    FAILURE_NOTIFIER is a JSON object with the class of an Airflow notifier and its arguments, such as
    ``{"class": "airflow.providers.smtp.notifications.smtp.SmtpNotifier", "to": "me@example.org"}``. Without it, the
    failure is only logged and shown in the report.
    """
    notifier_config = os.environ.get("FAILURE_NOTIFIER")
    if not notifier_config:
        return log_failure
    arguments: dict[str, Any] = json.loads(notifier_config)
    notifier: BaseNotifier = import_string(arguments.pop("class"))(**arguments)
    return notifier


def log_failure(context: Context) -> None:
    """Log in one line which task has failed and why."""
    task_instance = context["task_instance"]
    log.error("%s.%s has failed: %s", task_instance.dag_id, task_instance.task_id, context.get("exception"))


def build_default_args() -> dict[str, Any]:
    """Return the default arguments of tasks; the retry delay is Airflow's default_task_retry_delay."""
    return {
        "owner": "warehouse",
        "retries": 2,
        "retry_policy": RETRY_POLICY,
        "execution_timeout": timedelta(hours=2),
        "on_failure_callback": build_failure_callback(),
    }
