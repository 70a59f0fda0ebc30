"""Failures, named by what the caller can do about them."""


class EtlError(Exception):
    """Base of every failure that the pipeline raises on purpose; its text is a message for the operator."""


class TryAgainError(EtlError):
    """The cause is temporary (network, a restarting server, a lock): the same call may succeed later."""


class ActionNeededError(EtlError):
    """The operator must act first (wrong file, missing right, full disk): a retry cannot help."""


class WrongFileError(ActionNeededError):
    """A file is not valid. The message names the file and the problem."""


class CheckFailedError(ActionNeededError):
    """A check found invalid rows in staging; nothing was published."""


class RateLimitedError(TryAgainError):
    """A server requests a longer pause than a worker should sleep: call again after ``retry_after_s`` seconds."""

    def __init__(self, message: str, retry_after_s: float = 60.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class QuotaUsedUpError(EtlError):
    """A quota of calls is used up: stop, load the fetched responses, and let the next run continue."""


class MustSignInError(ActionNeededError):
    """A user must sign in again: mark ``account``, keep its stored token, continue with the other accounts."""

    def __init__(self, message: str, account: str = "") -> None:
        super().__init__(message)
        self.account = account
