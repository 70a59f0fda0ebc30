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
