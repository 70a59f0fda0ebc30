"""The images of a project: the product's from docker/Dockerfile, and stand-ins where no image registry is reached."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from campaigns.container_runs.engine import run_command
from etl.settings import CHECKOUT

PRODUCT_IMAGE = "docker.io/library/listening-warehouse:latest"
BASE_IMAGE = "docker.io/library/debian:trixie-slim"
_STAND_INS = {"docker.io/library/postgres:18-trixie": "postgres", "docker.io/apache/kafka:4.4.0": "kafka"}
_FOLDER = CHECKOUT / "campaigns" / "container_images"
_COMPILERS = ("cc", "gcc", "g++", "make", "pip")
_LIST_UNLISTED = """
import json, re, subprocess
from importlib.metadata import distributions
from pathlib import Path

def name_package(kind, name, version):
    return f"{kind} {re.sub('[-_.]+', '-', name).lower()} {version}"

components = json.loads(Path("/opt/sbom.cdx.json").read_text())["components"]
kinds = {"deb": "pkg:deb/", "pypi": "pkg:pypi/"}
listed = {
    name_package(kind, component["name"], component["version"])
    for component in components
    for kind, prefix in kinds.items()
    if component.get("purl", "").startswith(prefix)
}
debian = subprocess.check_output(["dpkg-query", "--show", "--showformat", "${Package} ${Version}\\n"], text=True)
installed = {name_package("deb", *line.split()) for line in debian.splitlines()}
installed |= {name_package("pypi", item.name, item.version) for item in distributions()}
jars = [component for component in components if component.get("purl", "").startswith("pkg:maven/")]
if len(jars) < len(list(Path("/opt/spark-jars").rglob("*.jar"))):
    print("jars")
for name in sorted(installed - listed):
    print(name)
"""
"""Prints the packages of an image that its bill of materials does not list."""


def build_base_image(engine: str) -> None:
    """Make the base image by debootstrap, unless the engine has it."""
    if not has_image(engine, BASE_IMAGE):
        run_command([str(_FOLDER / "base.sh"), engine])


@contextmanager
def open_checkout(commit: str | None) -> Iterator[Path]:
    """Yield a checkout of a commit during the context; this checkout if there is none."""
    if commit is None:
        yield CHECKOUT
        return
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "checkout.tar"
        run_command(["git", "-C", str(CHECKOUT), "archive", "--output", str(archive), commit])
        run_command(["tar", "--directory", folder, "--extract", "--file", str(archive)])
        yield Path(folder)


def build_product_image(engine: str, certificate: Path | None, checkout: Path = CHECKOUT) -> None:
    """Build the image of a checkout as ``listening-warehouse``.

    :param certificate: a PEM file that signs the connections of the build, if a proxy opens them.
    """
    files = ["--file", str(checkout / "docker" / "Dockerfile"), "--tag", PRODUCT_IMAGE]
    if engine == "podman":  # Docker finds it by its name
        files += ["--ignorefile", str(checkout / "docker" / "Dockerfile.dockerignore")]
    run_command([engine, "build", *files, *_pass_certificate(certificate), str(checkout)])


def build_stand_ins(engine: str, certificate: Path | None) -> None:
    """Build images with the interface of PostgreSQL's and Kafka's on top of the product's, under their names."""
    for tag, name in _STAND_INS.items():
        files = ["--file", str(_FOLDER / f"{name}.Dockerfile"), "--tag", tag]
        run_command([engine, "build", *files, *_pass_certificate(certificate), str(_FOLDER)])


def has_image(engine: str, tag: str) -> bool:
    """Return whether the engine has an image."""
    try:
        run_command([engine, "image", "inspect", tag])
    except RuntimeError:
        return False
    return True


def find_unlisted_packages(engine: str) -> list[str]:
    """Return the packages of the product's image that its bill of materials does not list with their versions."""
    command = ["run", "--rm", "--entrypoint", "python", PRODUCT_IMAGE, "-c", _LIST_UNLISTED]
    return run_command([engine, *command]).splitlines()


def measure_image(engine: str) -> int:
    """Return the size of the product's image in bytes."""
    return int(json.loads(run_command([engine, "image", "inspect", PRODUCT_IMAGE]))[0]["Size"])


def find_image_faults(engine: str) -> list[str]:
    """Return what the product's image must not have: a compiler, an installer, the superuser, a writable program."""
    script = f"""
        for name in {" ".join(_COMPILERS)}; do command -v $name && echo "$name is installed"; done
        [ "$(id -u)" = 50000 ] || echo "it runs as user $(id -u)"
        [ -w /opt/warehouse ] || [ -w /opt/venv ] && echo "its user can change its programs"
        ls /usr/local/share/ca-certificates
        true
    """
    command = ["run", "--rm", "--entrypoint", "sh", PRODUCT_IMAGE, "-c", script]
    return run_command([engine, *command]).split("\n")[:-1]


def _pass_certificate(certificate: Path | None) -> list[str]:
    return ["--secret", f"id=ca,src={certificate}"] if certificate else []
