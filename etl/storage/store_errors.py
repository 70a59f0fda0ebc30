"""Errors of the stores that a lake may be in: most drivers raise OSError, some raise errors of their own."""

_DRIVER_PACKAGES = frozenset({"adlfs", "aiobotocore", "aiohttp", "azure", "botocore", "gcsfs", "google", "s3fs"})


def is_store_error(error: BaseException) -> bool:
    """Return whether an error is one of a disk or of an object store, rather than a fault of the program."""
    return isinstance(error, OSError) or any(
        base.__module__.partition(".")[0] in _DRIVER_PACKAGES for base in type(error).__mro__
    )
