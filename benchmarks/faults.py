"""The star after injected faults of the mock Spotify API beside the star without them, and how long a worker waits.

    python -m benchmarks.faults [--long] [--modes MODE …] [--nights N] [--rate RATE] [--seed SEED] [--every N]
        [--folder FOLDER]

Goes through the same nights twice at the stand-in, with some faults of every kind and without, then through two more
without any in which everything of the catalogue is asked (before them the budget is small), the second when refusals of
playlists are believed no longer, and compares the stars.
What the nights brought is published after the first, every so many (``--every``), and the last two; likes and follows
at the end. A night is a line.

The long form meets 10,000 faults: more accounts, nights and faults a call, and kinds that end a fetch come more seldom
than those that do not. With ``--folder`` an ended process leaves what it has there, and the same command goes on after
the last whole night; with other ``--nights`` it goes on to these. Remove the folder afterwards.

A recording is the same whichever of its ids came first: it is named here by its smallest. What was there only in
nights whose calls failed is in no answer: names that a thing had then, likes and follows that were taken back, and what
a playlist was before it was deleted are counted apart.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks._stand_in import MODES, Nights, Waits, nights
from benchmarks._star import Star, Things, gone_unseen, overlap_count, star, tell
from etl import warehouse
from etl.extract.spotify.exchange import Limits
from etl.extract.spotify.knowledge import REFUSALS_LAST
from etl.jobs import stand_in
from etl.jobs.spotify import LONGEST_DELAY_S
from etl.simulate.spotify_api.night import Night
from etl.simulate.spotify_api.scenario import EITHER_FAULTS, FAULTS, read_scenario
from etl.simulate.spotify_api.stock import Stock, stock_path
from launch import postgres

_CALM_NIGHTS = {0: 5_000, REFUSALS_LAST.days + 1: 1_000}
"""When the two calm nights are, from the end of those with faults, and their calls: all that is known, then what became
known in the first."""
_CHANGING = "popularity_drift = 0\n"
_FAULTS = """
[faults]
rate = {rate}
seed = {seed}
last_night = {last_night}
seconds = {seconds}
kinds = {kinds}
"""
_PAUSES = {"playlist_items": 25, "saved_tracks": 900}
"""Besides, the third call of an endpoint is asked for a pause of so many seconds, each night."""
_PAUSE = """
[[fault]]
night = {night}
endpoint = "{endpoint}"
nth = 3
kind = "rate_limited"
seconds = {seconds}
"""


@dataclass(frozen=True)
class Form:
    """How many faults are met how. ``every`` says how many nights are published at once, ``calls`` what the catalogue
    may ask a night, by mode; ``rate`` is the share of calls that meet a fault, ``weights`` says how much oftener than
    others some kinds are drawn; a slow answer takes ``slow_s``, and ``limits`` say how long is waited for it."""

    nights: int
    every: int
    accounts: int
    calls: Mapping[str, int]
    rate: float
    weights: Mapping[str, int]
    slow_s: float
    limits: Limits


_SHORT = Form(
    nights=20,
    every=10,
    accounts=stand_in.ACCOUNTS,
    calls={"development": 100, "extended": 40},
    rate=0.3,
    weights={},
    slow_s=3,
    limits=Limits(),
)
_LONG = Form(
    nights=60,
    every=60,
    accounts=8,
    calls={"development": 60, "extended": 40},
    rate=0.5,
    # A slow answer really takes its time, so these are fewer.
    weights={**dict.fromkeys(EITHER_FAULTS, 20), "slow": 5, "expired_token": 5},
    slow_s=1.2,
    limits=replace(Limits(), read_s=1),
)


@dataclass
class Lived:
    """How far some nights have come, and what was there in the end.

    ``met`` counts faults by kind, ``overlaps`` tracks that stand twice in one place of a playlist at one time.
    """

    night_count: int = 0
    met: Counter[str] = field(default_factory=Counter)
    waits: Waits = field(default_factory=Waits)
    star: Star = field(default_factory=dict)
    overlaps: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--long", action="store_true", help="10,000 faults")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--nights", type=int, help=f"with faults; else {_SHORT.nights}, or {_LONG.nights}")
    parser.add_argument("--rate", type=float, help=f"of calls that meet a fault; else {_SHORT.rate}, or {_LONG.rate}")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--every", type=int, help=f"nights; else {_SHORT.every}, or {_LONG.every}")
    parser.add_argument("--folder", type=Path, help="where all stays, so that another start goes on")
    options = parser.parse_args()
    form = _LONG if options.long else _SHORT
    chosen = {name: getattr(options, name) for name in ("nights", "rate", "every")}
    form = replace(form, **{name: value for name, value in chosen.items() if value is not None})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that all that was started ends
    print(f"spotipy {version('spotipy')}, pyspark {version('pyspark')}, mock API (docs/stand_in.md)", flush=True)
    are_equal = True
    with nullcontext(options.folder) if options.folder else _temporary() as folder:
        for mode in options.modes:
            are_equal &= _compared(mode, form, options.seed, folder)
    raise SystemExit(not are_equal)


@contextmanager
def _temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        try:
            yield Path(name)
        finally:
            for state in Path(name).glob("*/with*"):
                postgres.remove(state)


def _compared(mode: str, form: Form, seed: int, folder: Path) -> bool:
    """Whether the nights of a mode end in the same star with faults and without; prints what came of them."""
    found = _lived(mode, form, _CHANGING + _faults(form, seed), folder / mode / "with", folder / "stock")
    expected = _lived(mode, form, _CHANGING, folder / mode / "without", folder / "stock")
    spent = ", ".join(f"{kind} {found.met[kind]}" for kind in FAULTS)
    print(f"{mode}: {found.met.total()} faults over {form.nights} nights, rate {form.rate}, seed {seed}: {spent}")
    return _compare(expected, found, _there(folder / mode / "with", form.nights + max(_CALM_NIGHTS)))


def _faults(form: Form, seed: int) -> str:
    """What a scenario says of the nights with faults."""
    kinds = [kind for kind in FAULTS for _ in range(form.weights.get(kind, 1))]
    last_night = form.nights - 1
    by_rate = _FAULTS.format(rate=form.rate, seed=seed, last_night=last_night, seconds=form.slow_s, kinds=kinds)
    pauses = [
        _PAUSE.format(night=night, endpoint=endpoint, seconds=seconds)
        for night in range(form.nights)
        for endpoint, seconds in _PAUSES.items()
    ]
    return "".join([*pauses, by_rate])


def _lived(mode: str, form: Form, scenario: str, folder: Path, stock: Path) -> Lived:
    """What some nights and two calm ones after them bring.

    :param stock: where the stand-in's stock is kept for other nights.
    """
    note = folder / "lived.json"
    lived = _noted(note)
    if lived.star:
        return lived
    if stock.exists() and not folder.exists():
        shutil.copytree(stock, folder / stock_path(folder).parent.name)
    with nights(mode, scenario, form.calls[mode], form.accounts, form.limits, folder) as here:
        here.waits = lived.waits
        here.import_files(None)
        if not stock.exists():
            shutil.copytree(stock_path(folder).parent, stock)
        calm = {form.nights + days: calls for days, calls in _CALM_NIGHTS.items()}
        for number in (one for one in [*range(form.nights), *calm] if one >= lived.night_count):
            print(f"  {mode}, night {number}:", end=" ", flush=True)
            _live(here, lived, number, calm.get(number), is_published=number in calm or number % form.every == 0)
            lived.night_count = number + 1
            _note(note, lived)
        here.load_events(max(calm))
        with warehouse.connect(here.url) as connection:
            lived.star, lived.overlaps = star(connection), overlap_count(connection)
    _note(note, lived)
    postgres.remove(folder)
    return lived


def _live(here: Nights, lived: Lived, number: int, budget: int | None, is_published: bool) -> None:
    """One night; ``budget`` is what the catalogue may ask, where that is another number than on other nights."""
    began = time.monotonic()
    counted = here.fetch(number, budget)
    lived.met += (new := here.faults())
    fetched = time.monotonic()
    if is_published:
        here.refresh(number)
    took = f"{fetched - began:.0f} s asking, {time.monotonic() - fetched:.0f} s publishing"
    asked = sum(statuses.total() for statuses in counted.values())
    kinds = ", ".join(f"{kind} {new[kind]}" for kind in sorted(new))
    print(f"{asked} calls, {lived.met.total()} faults so far ({kinds or 'none'}), {took}", flush=True)


def _there(state: Path, number: int) -> Things:
    """What the accounts have on a night, as the stand-in knows it; the star may have more, from earlier nights."""
    with closing(Stock(stock_path(state))) as stock:
        night = Night(stock, read_scenario(state / "scenario.toml"), number)
        accounts = stock.accounts.values()
        moments = {
            (one.account_id, thing, datetime.fromisoformat(since))
            for one in accounts
            for thing, since in night.saved(one)
        }
        followed = {(one.account_id, artist, None) for one in accounts for artist in night.followed(one)}
        return Things(moments | followed, {id_ for one in accounts for id_ in night.playlist_ids(one)})


def _compare(expected: Lived, found: Lived, there: Things) -> bool:
    """Print how the stars compare.

    :returns: whether they are equal.
    """
    both, gone = (expected, found), gone_unseen(expected.star, found.star, there)
    parts = {
        name: tuple(
            Counter({row: n for row, n in one.star[name].items() if row not in gone.get(name, ())}) for one in both
        )
        for name in expected.star
    }
    different = [name for name, (wanted, has) in parts.items() if wanted != has]
    sizes = ", ".join(f"{name} {wanted.total()}" for name, (wanted, _) in parts.items())
    print(f"  {len(parts) - len(different)} of {len(parts)} parts of the star equal ({sizes}), without the rows of:")
    told = ", ".join(f"{len(rows)} of {name}" for name, rows in gone.items())
    print(f"  rows that differ for what was gone before it could be asked: {told}")
    print(f"  tracks twice in one place of a playlist: {expected.overlaps} without faults, {found.overlaps} with them")
    for name in different:
        wanted, has = parts[name]
        tell(name, wanted - has, has - wanted)
    print(f"  {_told(found.waits)}", flush=True)
    return not different and not found.overlaps


def _noted(note: Path) -> Lived:
    """What an ended process has left."""
    if not note.exists():
        return Lived()
    said = json.loads(note.read_text(encoding="utf-8"))
    stars = {name: Counter(rows) for name, rows in said["star"].items()}
    return Lived(**{**said, "met": Counter(said["met"]), "waits": Waits(**said["waits"]), "star": stars})


def _note(note: Path, lived: Lived) -> None:
    draft = note.with_suffix(".part")
    draft.write_text(json.dumps({**vars(lived), "waits": vars(lived.waits)}), encoding="utf-8")
    draft.replace(note)


def _told(waits: Waits) -> str:
    limits = Limits()
    bounds = (limits.retry_after_each_s, limits.retry_after_all_s, LONGEST_DELAY_S)
    seen = (waits.once, waits.asked, waits.task)
    words = ("a worker at once", "all pauses asked for in a fetch", "a task before its next try")
    told = [f"{word} {wait:.0f} s (bound {bound:.0f})" for word, wait, bound in zip(words, seen, bounds, strict=True)]
    return f"longest wait: {', '.join(told)}; longest try by the clock: {waits.really:.0f} s"


if __name__ == "__main__":
    main()
