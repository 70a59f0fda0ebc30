"""Unusual names of valid files, and unusual objects at the path of a file."""

import os
from collections.abc import Callable
from pathlib import Path


def list_unusual_names(suffix: str) -> list[str]:
    """Return names under which a valid file may arrive."""
    stems = (
        *("a::b", "per%20cent", "per%cent", "hash#tag", "quest?ion", "star*", "{a,b}", "[ab]", "colon:name"),
        *("new\nline", "right\u202eto left", "ünï", "e\u0301", " space ", "-dash", "$(id)", "quo'te\"", "back\\slash"),
        *("_under", "..dots", "semi;colon", "tab\tulator", "x" * 240, "é" * 120, "~home", "@at", "a b.c", "\udcff"),
    )
    return [stem + suffix for stem in stems]


PathMaker = Callable[[Path, bytes], Path]


def list_unusual_paths() -> dict[str, PathMaker]:
    """Return objects that may be at a path instead of a file."""
    return {
        "place: nothing": lambda folder, good_content: folder / "nothing",
        "place: an empty folder": lambda folder, good_content: folder,
        "place: a link": lambda folder, good_content: _make_link(folder, folder / "good", good_content),
        "place: a link to nothing": lambda folder, good_content: _make_link(folder, folder / "nothing", None),
        "place: a link to itself": lambda folder, good_content: _make_link(folder, folder / "link", None),
        "place: a pipe": _make_pipe,
        "place: a folder of folders": _make_nested_folders,
        "place: a folder with a pipe": lambda folder, good_content: _make_pipe(folder, good_content).parent,
        "place: a folder with a link to nothing": lambda folder, good_content: (
            _make_link(folder, folder / "nothing", None).parent
        ),
        "place: endless zeros": lambda folder, good_content: Path("/dev/zero"),
        "place: nothing at all": lambda folder, good_content: Path("/dev/null"),
        "place: a name with a zero": lambda folder, good_content: folder / "a\0b",
        "place: a long name": lambda folder, good_content: folder / ("x" * 300),
        "place: a web address": lambda folder, good_content: Path("https:/"),
        "place: the file of a folder": _make_path_below_file,
    }


def _make_link(folder: Path, target: Path, content: bytes | None) -> Path:
    if content is not None:
        target.write_bytes(content)
    link = folder / "link"
    link.symlink_to(target)
    return link


def _make_pipe(folder: Path, good_content: bytes) -> Path:
    os.mkfifo(folder / "pipe.avro")
    return folder / "pipe.avro"


def _make_nested_folders(folder: Path, good_content: bytes) -> Path:
    (folder / "one" / "two.csv").mkdir(parents=True)
    return folder


def _make_path_below_file(folder: Path, good_content: bytes) -> Path:
    (folder / "file").write_bytes(good_content)
    return folder / "file" / "inner.csv"
