"""What a result depends on: the data, the code and the libraries, as hashes and versions."""

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pyarrow as pa

from forecasting.files import SERIES

PACKAGES = ("jax", "jaxlib", "keras", "numpy", "pandas", "pyarrow", "scipy", "statsforecast")


def hash_series(series: pa.Table) -> str:
    """Return the SHA-256 of the rows, whatever their order."""
    digest = hashlib.sha256()
    ordered = series.sort_by([(name, "ascending") for name in SERIES.names]).combine_chunks()
    for name in SERIES.names:
        column = ordered[name]
        if column.type == pa.string():
            digest.update("\0".join(column.to_pylist()).encode() + b"\0\0")
        else:
            digest.update(column.to_numpy().astype("<f8" if name == "value" else "<i8").tobytes())
    return digest.hexdigest()


def hash_code() -> str:
    """Return the SHA-256 of this package's sources and of its lock file."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted([*package.rglob("*.py"), *package.glob("*.txt")]):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def list_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that results depend on, as far as they are installed."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
