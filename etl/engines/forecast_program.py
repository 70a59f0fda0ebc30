"""The program `forecasting` in an environment of its own, which is made when it is first needed.

Its libraries are large, and the product runs without them: STATE_DIR/forecasting/venv-<hash> has the packages that
forecasting/requirements.txt pins, by hash. Other requirements have another folder, so a running program keeps its own.
"""

import fcntl
import hashlib
import logging
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from etl.errors import ActionNeededError, EtlError, TryAgainError
from etl.settings import CHECKOUT

log = logging.getLogger(__name__)

_REQUIREMENTS = CHECKOUT / "forecasting" / "requirements.txt"
_MARKER = "requirements.installed"
"""A file in a complete environment, last written when a run asked for it."""
_NEEDED_BYTES = 2 << 30
_UNUSED_SECONDS = 7 * 86_400
_PASSED_ON = ("PATH", "LANG", "TMPDIR", "HTTPS_PROXY", "https_proxy", "SSL_CERT_FILE")


def get_python_path(state_dir: Path, requirements: Path = _REQUIREMENTS) -> Path:
    """Return the interpreter of the program; it exists after ``ensure_environment``."""
    fingerprint = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    return state_dir / "forecasting" / f"venv-{fingerprint[:16]}" / "bin" / "python"


def build_environ(state_dir: Path) -> dict[str, str]:
    """Return the environment variables of the program: it gets no secret of the product."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {
        **passed_on,
        "HOME": str(state_dir / "forecasting"),
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPYCACHEPREFIX": str(state_dir / "cache" / "bytecode"),
    }


def ensure_environment(state_dir: Path, requirements: Path = _REQUIREMENTS) -> None:
    """Make the environment of the program, unless it is there with these requirements.

    Another process that makes it is waited for. An environment that a killed process left incomplete is made again,
    and those of other requirements are removed when no run has asked for them for a week.

    :raises TryAgainError: if the packages cannot be fetched.
    :raises ActionNeededError: if the disk has too little space, or uv is missing.
    """
    python = get_python_path(state_dir, requirements)
    venv = python.parent.parent
    marker = venv / _MARKER
    venv.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (venv.parent / "venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if marker.exists():
            marker.touch()
            return
        _remove_unused(venv.parent)
        _check_free_space(venv.parent)
        log.info("Making the environment of the forecasts in %s, once: this takes minutes and the network.", venv)
        _run_uv(state_dir, "venv", "--quiet", "--python", sys.executable, str(venv))
        _run_uv(state_dir, "pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(requirements))
        marker.touch()


def run_program(folder: Path, state_dir: Path, requirements: Path = _REQUIREMENTS) -> None:
    """Run the program on the folder of a run; its progress goes to stdout.

    :raises EtlError: with the program's message, if it fails.
    """
    command = [str(get_python_path(state_dir, requirements)), "-m", "forecasting", str(folder)]
    result = subprocess.run(
        command, env=build_environ(state_dir), cwd=CHECKOUT, stderr=subprocess.PIPE, text=True, check=False
    )
    if result.returncode:
        log.error("%s", result.stderr.strip())
        raise EtlError(_get_last_line(result.stderr) or f"The forecasts ended with exit code {result.returncode}.")


def _remove_unused(folder: Path) -> None:
    """Remove incomplete environments, and those that no run has asked for lately."""
    for venv in folder.glob("venv-*"):
        marker = venv / _MARKER
        if not marker.exists() or marker.stat().st_mtime < time.time() - _UNUSED_SECONDS:
            shutil.rmtree(venv, ignore_errors=True)


def _check_free_space(folder: Path) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < _NEEDED_BYTES:
        raise ActionNeededError(
            f"The environment of the forecasts needs {_NEEDED_BYTES >> 30} GiB on the disk of {folder}, and"
            f" {free_bytes >> 20} MiB are free: make room, then run the forecasts again."
        )


def _run_uv(state_dir: Path, *arguments: str) -> None:
    environ = {"UV_CACHE_DIR": str(state_dir / "cache" / "uv"), **os.environ}
    command = [sys.executable, "-m", "uv", *arguments]
    result = subprocess.run(
        command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    if "No module named uv" in result.stderr:
        raise ActionNeededError(f"uv is missing: install it into the environment of {sys.executable} (pip install uv).")
    if result.returncode:
        log.error("%s", result.stderr.strip())
        raise TryAgainError(
            "The environment of the forecasts could not be made. It needs the network once, and about 900 MB:"
            f" {_get_last_line(result.stderr)}"
        )


def _get_last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else ""
