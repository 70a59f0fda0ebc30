"""Failures, named by what the caller can do about them."""


class EtlError(Exception):
    """Base of every failure that the pipeline raises on purpose; its text is a sentence for people."""


class TryAgainError(EtlError):
    """The cause is likely to pass (network, a restarting server, a lock): the same call may succeed later."""


class ActionNeededError(EtlError):
    """Somebody must act first (wrong file, missing right, full disk): a retry cannot help."""


class WrongFileError(ActionNeededError):
    """A file is not what it was said to be. The text names the file and what is wrong with it."""


class CheckFailedError(ActionNeededError):
    """A check found offending rows in staging; nothing was published."""


class RateLimitedError(TryAgainError):
    """A server asks for a longer pause than a worker should sleep: call again after ``retry_after_s`` seconds."""

    def __init__(self, message: str, retry_after_s: float = 60.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class QuotaUsedUpError(EtlError):
    """A quota of calls is used up: stop asking, keep and load what was fetched, let the next run go on from there."""


class MustSignInError(ActionNeededError):
    """A person must sign in again: mark ``account``, leave its stored token, go on with the other accounts."""

    def __init__(self, message: str, account: str = "") -> None:
        super().__init__(message)
        self.account = account
