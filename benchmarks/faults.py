"""What faults of the Spotify API do to the star, and to how long a worker waits.

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
nights whose calls failed is in no answer: names that a thing had then, and likes and follows that were taken back, are
counted apart.
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
from benchmarks._star import Star, gone_events, gone_names, overlap_count, star, tell
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

    ``met`` counts faults by kind, ``overlaps`` tracks that stand twice in one place of a playlist at one time. What the
    accounts have saved and whom they follow is ``there``: user_id, thing, since.
    """

    night_count: int = 0
    met: Counter[str] = field(default_factory=Counter)
    waits: Waits = field(default_factory=Waits)
    star: Star = field(default_factory=dict)
    overlaps: int = 0
    there: list[tuple[str, str, str | None]] = field(default_factory=list)


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
    print(f"spotipy {version('spotipy')}, pyspark {version('pyspark')}, against the stand-in", flush=True)
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
    return _compare(expected, found)


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
        here.load_events(last := max(calm))
        with warehouse.connect(here.url) as connection:
            lived.star, lived.overlaps = star(connection), overlap_count(connection)
        lived.there = _there(here, last)
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


def _there(here: Nights, number: int) -> list[tuple[str, str, str | None]]:
    """What the accounts have saved and whom they follow on a night, as the stand-in knows it."""
    state = here.settings.state_dir
    with closing(Stock(stock_path(state))) as stock:
        night = Night(stock, read_scenario(state / "scenario.toml"), number)
        return [
            (account.account_id, thing, since)
            for account in stock.accounts.values()
            for thing, since in [*night.saved(account), *((artist, None) for artist in night.followed(account))]
        ]


def _compare(expected: Lived, found: Lived) -> bool:
    """Print how the stars compare.

    :returns: whether they are equal.
    """
    there = {(user, thing, datetime.fromisoformat(since) if since else None) for user, thing, since in found.there}
    names, events = gone_names(expected.star, found.star), gone_events(expected.star, found.star, there)
    wanted = dict(expected.star)
    for part, gone in (("aliases", names), ("likes and follows", events)):
        wanted[part] = Counter({row: n for row, n in wanted[part].items() if row not in gone})
    different = [name for name, part in wanted.items() if found.star[name] != part]
    sizes = ", ".join(f"{name} {part.total()}" for name, part in wanted.items())
    print(f"  {len(wanted) - len(different)} of {len(wanted)} parts of the star equal ({sizes})")
    print(f"  gone before they could be asked: {len(names)} names, {len(events)} likes and follows")
    print(f"  tracks twice in one place of a playlist: {expected.overlaps} without faults, {found.overlaps} with them")
    for name in different:
        tell(name, wanted[name] - found.star[name], found.star[name] - wanted[name])
    print(f"  {_told(found.waits)}", flush=True)
    return not different and not found.overlaps


def _noted(note: Path) -> Lived:
    """What an ended process has left."""
    if not note.exists():
        return Lived()
    said = json.loads(note.read_text(encoding="utf-8"))
    stars = {name: Counter(rows) for name, rows in said["star"].items()}
    there = [tuple(one) for one in said["there"]]
    return Lived(
        **{**said, "met": Counter(said["met"]), "waits": Waits(**said["waits"]), "star": stars, "there": there}
    )


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
