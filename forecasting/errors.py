"""Failures of the program, by what the operator can do about them."""

import sys
import traceback


class ForecastError(Exception):
    """Base of every failure that the program raises on purpose; its text is a message for the operator."""


class WrongInputError(ForecastError):
    """The request or the series are not valid. The message names the file, the series and the problem."""


class RemovedRunError(ForecastError):
    """The folder of the run is no longer there."""

    def __init__(self, folder: object) -> None:
        super().__init__(
            f"{folder} is no longer there, as after the erasure of a user: start a new run, or clear plan_forecast in"
            " Airflow."
        )


class TooShortError(ForecastError):
    """A history is too short to train or to forecast; more days make it long enough."""


class FailedGroupsError(ForecastError):
    """Every group of series failed. The message has the failure of one."""


def report_failure(subject: str, error: Exception) -> str:
    """Print a failure that does not end the run with its traceback, and return it in one line."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    sys.stdout.write(f"{subject} failed: {text}\n")
    traceback.print_exception(error, file=sys.stdout)
    return text
