"""Make this machine ready, then hand over to the part of the product that was asked for.

Runs under the system's Python before anything is installed, so it uses only the standard library. All its results are
in STATE_DIR; an incomplete virtual environment is completed, a finished one is identified by the hash of its content.
"""

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

CHECKOUT = Path(__file__).resolve().parent.parent
UV = "uv==0.13.8"
JAVA_PACKAGES = ("openjdk-21-jre-headless", "openjdk-17-jre-headless", "default-jre-headless")
BROWSER_PACKAGES = ("chromium-driver",)
"""The driver brings the browser of its own version."""
OLDEST_JAVA = 17
FIRST_START_BYTES = 4 << 30

COMMANDS = {
    "run": ("launch.run", "requirements.txt", True),
    "test": ("launch.checks", "tests/requirements.txt", True),
    "bench": ("benchmarks", "benchmarks/requirements.txt", True),
    "psql": ("launch.psql", "requirements.txt", False),
    "backup": ("launch.backup", "requirements.txt", False),
    "restore": ("launch.restore", "requirements.txt", False),
    "add-login": ("launch.add_login", "requirements.txt", False),
    "dashboard": ("launch.dashboard", "requirements.txt", False),
    "sign-in": ("launch.sign_in", "requirements.txt", False),
    "decide": ("launch.decide", "requirements.txt", False),
    "leave-out": ("launch.leave_out", "requirements.txt", False),
    "import-history": ("launch.import_history", "requirements.txt", True),
    "describe-taste": ("launch.describe_taste", "requirements.txt", False),
    "export-history": ("launch.export_history", "requirements.txt", False),
    "load-events": ("launch.load_events", "requirements.txt", True),
    "forecast": ("launch.forecast", "requirements.txt", False),
    "export-avro": ("launch.export_avro", "requirements.txt", True),
    "simulate-feed": ("launch.simulate_feed", "requirements.txt", True),
    "create-topics": ("launch.create_topics", "requirements.txt", False),
    "simulate-stream": ("launch.simulate_stream", "requirements.txt", False),
}
"""Command to (module, requirements file, whether Java is needed)."""
NO_JAVA_TIERS = ("unit", "postgres")
NO_BROWSER_TIERS = (*NO_JAVA_TIERS, "spark", "airflow")
"""Tiers of the tests that need no Java or no browser."""


class SetupError(Exception):
    """The machine cannot be prepared; the message names the remedy."""


def main(command: str, arguments: list[str]) -> None:
    """Set up the requirements of ``command`` and replace this process by it; never return."""
    module, requirements, is_java_needed = COMMANDS[command]
    state = Path(os.environ.get("STATE_DIR") or CHECKOUT / ".state").resolve()
    environ = build_environment(state)
    make_state_dir(state)
    with (state / "setup.lock").open("w") as lock:
        lock_setup(lock.fileno(), is_waiting=command != "run")
        if is_java_needed and not is_tier(command, arguments, NO_JAVA_TIERS):
            environ["JAVA_HOME"] = str(ensure_java(state))
        make_virtual_environment(state, CHECKOUT / requirements)
        if command == "test" and not is_tier(command, arguments, NO_BROWSER_TIERS):
            ensure_browser(state)
    os.umask(0o077)  # the lake, logs and scratch files contain listening data of users
    python = str(state / "venv" / "bin" / "python")
    os.execve(python, [python, "-m", module, *arguments], environ)


def build_environment(state: Path) -> dict[str, str]:
    """Return the environment of the command: Python finds the checkout, and writes its bytecode into STATE_DIR."""
    # Each task of Airflow is a process, and to compile Airflow's modules again takes it as long as to import them. So
    # bytecode is cached even where PYTHONDONTWRITEBYTECODE keeps it out of folders of source code, as in many images.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **inherited,
        "STATE_DIR": str(state),
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONSAFEPATH": "1",
        "PYTHONPYCACHEPREFIX": str(state / "cache" / "bytecode"),
    }


def is_tier(command: str, arguments: list[str], tiers: tuple[str, ...]) -> bool:
    """Return whether the command runs only tests of some tiers."""
    return command == "test" and arguments[:1] != [] and arguments[0] in tiers


def make_state_dir(state: Path) -> None:
    """Create STATE_DIR if it is missing, with enough free space for its content."""
    try:
        state.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"{state} cannot be made ({error.strerror}): set STATE_DIR to a folder of yours.") from error
    free = shutil.disk_usage(state).free
    if not (state / "venv").exists() and free < FIRST_START_BYTES:
        raise SetupError(
            f"The first start needs {FIRST_START_BYTES >> 30} GiB on the disk of {state}, and {free >> 20} MiB are "
            "free: make room, or set STATE_DIR to a folder on another disk."
        )


def lock_setup(lock: int, is_waiting: bool) -> None:
    """Lock the set-up: two processes at once would write into the same environment."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if is_waiting else fcntl.LOCK_NB))
    except BlockingIOError:
        raise SetupError("Another start is setting up this machine at the moment: wait until it is done.") from None


def ensure_java(state: Path) -> Path:
    """Return the home of a Java that Spark can use; install one if it is missing and the user may."""
    home = find_java()
    if home is None and try_apt_install(state, "Java", JAVA_PACKAGES):
        home = find_java()
    if home is None:
        raise SetupError(
            f"Java {OLDEST_JAVA} or newer is needed and was not found: "
            "install it (apt-get install openjdk-17-jre-headless), or set JAVA_HOME, then start again."
        )
    return home


def ensure_browser(state: Path) -> None:
    """Ensure that Chromium is installed for the dashboard tests; install it if it is missing and the user may."""
    if not is_browser_installed():
        try_apt_install(state, "Chromium", BROWSER_PACKAGES)
    if not is_browser_installed():
        raise SetupError(
            "The tests need Chromium and its driver, and they were not found: "
            "install them (apt-get install chromium chromium-driver), then start again."
        )


def is_browser_installed() -> bool:
    """Return whether tests can drive a browser."""
    return all(shutil.which(program) for program in ("chromium", "chromedriver"))


def find_java() -> Path | None:
    """Return the home of the first Java on this machine that is new enough and complete."""
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    on_path = shutil.which("java")
    if on_path:
        homes.append(Path(on_path).resolve().parent.parent)
    homes += sorted(Path("/usr/lib/jvm").glob("*"), reverse=True)
    return next((home for home in homes if is_java_usable(home / "bin" / "java")), None)


def is_java_usable(java: Path) -> bool:
    """Return whether ``java`` is new enough and has the module that Spark asks for."""
    try:
        command = [str(java), "--add-modules", "jdk.incubator.vector", "-version"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return False
    version = re.search(r'version "(\d+)', result.stderr)
    return result.returncode == 0 and version is not None and int(version[1]) >= OLDEST_JAVA


def make_virtual_environment(state: Path, requirements: Path) -> None:
    """Create the virtual environment STATE_DIR/venv with the packages that ``requirements`` pins."""
    venv = state / "venv"
    python = venv / "bin" / "python"
    fingerprint = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    marker = venv / f"{requirements.relative_to(CHECKOUT).as_posix().replace('/', '-')}.installed"
    if marker.exists() and marker.read_text() == fingerprint:
        return
    os.umask(0o022)  # the database server's own user reads its binaries from there
    if not can_run(python):
        ensure_venv_module(state)
        run_step(state, "Virtual environment", [[sys.executable, "-m", "venv", "--clear", str(venv)]], VENV_FAILURE)
    commands = [[str(python), "-m", "pip", "install", "--quiet", UV]] if not can_run(python, "uv") else []
    commands.append([str(python), "-m", "uv", "pip", "install", "--python", str(python), "-r", str(requirements)])
    run_step(state, f"Python packages ({requirements.relative_to(CHECKOUT)})", commands, PACKAGES_FAILURE)
    marker.write_text(fingerprint)


VENV_FAILURE = "The virtual environment could not be made"
PACKAGES_FAILURE = "Python's packages could not be installed; the first start needs the network"


def ensure_venv_module(state: Path) -> None:
    """Ensure that Python's venv is installed, which Debian packages separately; install it if the user may."""
    check = [sys.executable, "-c", "import venv, ensurepip"]
    if subprocess.run(check, capture_output=True, check=False).returncode == 0:
        return
    packages = (f"python3.{sys.version_info.minor}-venv", "python3-venv")
    if (
        not try_apt_install(state, "python3-venv", packages)
        or subprocess.run(check, capture_output=True, check=False).returncode
    ):
        raise SetupError(f"Python's venv is missing: install it (apt-get install {packages[1]}), then start again.")


def can_run(python: Path, module: str | None = None) -> bool:
    """Return whether ``python`` starts, and has ``module``."""
    try:
        command = [str(python), "-c", f"import {module or 'pip'}"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def try_apt_install(state: Path, label: str, packages: tuple[str, ...]) -> bool:
    """Install the first available package of ``packages``.

    :returns: False if the user may not install packages, or none is available.
    """
    if not shutil.which("apt-get"):
        return False
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if as_root and (not shutil.which("sudo") or subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode):
        return False
    log = state / "logs" / "setup.log"
    run_logged([*as_root, "apt-get", "update"], log)
    started = time.monotonic()
    for package in packages:
        install = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "--no-install-recommends"]
        if run_logged([*as_root, *install, package], log) == 0:
            print_line(f"✓ {label + ' (' + package + ')':<58} {time.monotonic() - started:6.1f} s")
            return True
    return False


def run_step(state: Path, text: str, commands: list[list[str]], failure: str) -> None:
    """Run ``commands``, then print one line; if one fails, raise an error with its last line of output."""
    log = state / "logs" / "setup.log"
    started = time.monotonic()
    for command in commands:
        if run_logged(command, log) != 0:
            lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
            raise SetupError(f"{failure}. {lines[-1] if lines else ''} (log: {log})")
    print_line(f"✓ {text:<58} {time.monotonic() - started:6.1f} s")


def run_logged(command: list[str], log: Path) -> int:
    """Run ``command`` with its output in ``log`` and its caches in STATE_DIR.

    :returns: its exit code.
    """
    log.parent.mkdir(mode=0o700, exist_ok=True)
    caches = {
        "UV_CACHE_DIR": str(log.parent.parent / "cache" / "uv"),
        "PIP_CACHE_DIR": str(log.parent.parent / "cache"),
    }
    with log.open("ab") as output:
        environ = {**caches, **os.environ}
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environ).returncode


def print_line(text: str) -> None:
    """Print a line for the user at the terminal."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def exit_on_signal(number: int, _frame: FrameType | None) -> None:
    """Exit immediately; the next start completes the set-up."""
    sys.exit(128 + number)


if __name__ == "__main__":
    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, exit_on_signal)
    try:
        main(sys.argv[1], sys.argv[2:])
    except SetupError as error:
        print_line(f"✗ {error}")
        sys.exit(1)
