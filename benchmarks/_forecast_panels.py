"""Make panels for `benchmarks.forecasts` of account exports and of text files: counts by day, and nothing else.

    python -m benchmarks._forecast_panels FOLDER [--exports FOLDER …] [--lines NAME GRAIN FIRST_DATE FILE …]

Each folder that holds streaming histories (JSON of Spotify's account or extended export) is one person. Written are
people_sessions.day.csv and people_minutes.day.csv, in which people have numbers and no names, and each person's year
ends on the same Sunday: histories of different years become one panel. Sessions are plays with less than 30 minutes
between them. Histories that equal another one, and those of less than ten months, are left out.

--lines takes a text file with one series a line, its values separated by commas, as the NN5 and M4 sets are published
(again for each set). Series end on the same date if GRAIN is followed by "end", as in `--lines m4 week-end 2024-01-01`.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

_GAP = pd.Timedelta(minutes=30)
_DAYS = 364
_LEAST_DAYS = 300
_LAST_DAY = pd.Timestamp("2024-12-29")
_SAME_CORRELATION = 0.9


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--exports", type=Path, nargs="+", default=[])
    parser.add_argument("--lines", nargs=4, action="append", default=[], metavar=("NAME", "GRAIN", "DATE", "FILE"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    people = _select_people(list(_read_people(options.exports)))
    for metric in ("sessions", "minutes") if people else ():
        columns = {f"person {number:02d}": days[metric] for number, days in enumerate(people, 1)}
        _write_panel(options.folder / f"people_{metric}.day.csv", pd.DataFrame(columns))
    for name, grain, date, file in options.lines:
        _write_lines(options.folder, name, grain, pd.Timestamp(date), Path(file))


def _read_people(folders: list[Path]) -> Iterator[pd.DataFrame]:
    """Yield the sessions and minutes of each person by day."""
    files = {
        path for folder in folders for path in folder.rglob("*.json") if "istory" in path.name or "endsong" in path.name
    }
    for folder in sorted({path.parent for path in files}):
        plays = pd.concat([_read_plays(path) for path in sorted(files) if path.parent == folder])
        plays = plays.drop_duplicates().dropna().sort_values("end")
        if len(plays) > 500:
            yield _count_days(plays)


def _read_plays(path: Path) -> pd.DataFrame:
    """Return the end and the milliseconds of each play of a file."""
    rows = json.loads(path.read_text(encoding="utf-8-sig"))
    frame = pd.DataFrame(rows if isinstance(rows, list) else [])
    columns = ("endTime", "msPlayed") if "endTime" in frame else ("ts", "ms_played")
    frame = frame.reindex(columns=columns).set_axis(["end", "ms"], axis=1)
    ends = pd.to_datetime(frame["end"], errors="coerce", utc=True).dt.tz_localize(None)
    return pd.DataFrame({"end": ends, "ms": frame["ms"]})


def _count_days(plays: pd.DataFrame) -> pd.DataFrame:
    start = plays["end"] - pd.to_timedelta(plays["ms"], "ms")
    is_new = (start - plays["end"].shift()).isna() | (start - plays["end"].shift() > _GAP)
    day = start.dt.floor("D")
    days = pd.DataFrame({"sessions": is_new.groupby(day).sum(), "minutes": plays["ms"].groupby(day).sum() / 60_000})
    # The first and the last day are partial.
    return days.reindex(pd.date_range(day.min(), day.max()), fill_value=0).iloc[1:-1]


def _select_people(people: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Return the last year of each person with enough history, of different people, ending on one Sunday."""
    selected: list[pd.DataFrame] = []
    for days in sorted((_drop_silence(days) for days in people), key=len, reverse=True):
        is_same = any(_correlate(days, other) > _SAME_CORRELATION for other in selected)
        if len(days) >= _LEAST_DAYS and not is_same:
            selected.append(days)
    return [_shift_to_last_day(days) for days in selected]


def _drop_silence(days: pd.DataFrame) -> pd.DataFrame:
    """Return the days from the first play to the last, without a first part that ends in four silent weeks."""
    active = np.flatnonzero(days["minutes"] > 0)
    gaps = np.flatnonzero((np.diff(active) >= 28) & (active[1:] < 0.6 * len(days)))
    first = active[gaps[-1] + 1] if len(gaps) else active[0]
    return days.iloc[first : active[-1] + 1]


def _correlate(days: pd.DataFrame, other: pd.DataFrame) -> float:
    common = days.index.intersection(other.index)
    return float(days.loc[common, "minutes"].corr(other.loc[common, "minutes"])) if len(common) > 60 else 0.0


def _shift_to_last_day(days: pd.DataFrame) -> pd.DataFrame:
    until_sunday = days[: days.index[-1] - pd.Timedelta(days=(days.index[-1].dayofweek + 1) % 7)].iloc[-_DAYS:]
    return until_sunday.set_axis(pd.date_range(end=_LAST_DAY, periods=len(until_sunday)))


def _write_lines(folder: Path, name: str, grain: str, date: pd.Timestamp, file: Path) -> None:
    grain, _hyphen, is_end = grain.partition("-")
    series = [np.array(line.split(","), dtype=float) for line in file.read_text(encoding="utf-8").split()]
    step = pd.Timedelta(days=1 if grain == "day" else 7)
    columns = {}
    for number, values in enumerate(series, 1):
        first = date - step * (len(values) - 1) if is_end else date
        columns[f"{name} {number:03d}"] = pd.Series(values, pd.date_range(first, periods=len(values), freq=step))
    _write_panel(folder / f"{name}.{grain}.csv", pd.DataFrame(columns))


def _write_panel(path: Path, frame: pd.DataFrame) -> None:
    frame.rename_axis("target_date").melt(ignore_index=False, var_name="segment").dropna().to_csv(path)


if __name__ == "__main__":
    main()
