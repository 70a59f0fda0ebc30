"""Synthetic exports of other services, written in the variants in which services and tools write them."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

FIRST_TIME = datetime(2024, 2, 13, 9, 5, tzinfo=UTC)
SONGS = (
    ("Weezer", "Weezer", "Buddy Holly"),
    ("Sigur Rós", "Ágætis byrjun", "Svefn-g-englar"),
    ("Earth, Wind & Fire", "I Am", "After the Love Has Gone"),
    ('"Weird Al" Yankovic', "Bad Hair Day", 'The "Alternative" Polka'),
    ("Björk", "Début; Live", "Vénus as a Boy"),
    ("None", "NULL", "N/A"),
    ("Beyoncé", "", "Déjà Vu"),
    ("Noël", "Café", "À la claire fontaine"),
)
TIMES = tuple(FIRST_TIME + timedelta(days=5 * number, hours=5 * number) for number in range(len(SONGS)))
"""On days above 12, and below, and in both halves of the day."""

TIME_FORMS: dict[str, Callable[[datetime], str]] = {
    "epoch seconds": lambda time: f"{int(time.timestamp())}",
    "epoch milliseconds": lambda time: f"{int(time.timestamp() * 1000)}",
    "epoch microseconds": lambda time: f"{int(time.timestamp() * 1_000_000)}",
    "epoch with fraction": lambda time: f"{time.timestamp():.3f}",
    "ISO with Z": lambda time: f"{time:%Y-%m-%dT%H:%M:%SZ}",
    "ISO with milliseconds": lambda time: f"{time:%Y-%m-%dT%H:%M:%S}.000Z",
    "ISO with offset": lambda time: (time + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S+02:00"),
    "ISO with short offset": lambda time: (time - timedelta(hours=5)).strftime("%Y-%m-%d %H:%M:%S -0500"),
    "date and time": lambda time: f"{time:%Y-%m-%d %H:%M:%S}",
    "date and minute": lambda time: f"{time:%Y-%m-%d %H:%M}",
    "UTC behind": lambda time: f"{time:%Y-%m-%d %H:%M:%S UTC}",
    "year and slashes": lambda time: f"{time:%Y/%m/%d %H:%M:%S}",
    "day and month's name": lambda time: f"{time:%d %b %Y, %H:%M}",
    "day and month's name, seconds": lambda time: f"{time:%d %b %Y %H:%M:%S}",
    "day and whole name": lambda time: f"{time:%d %B %Y %H:%M}",
    "month's name first, 12 h": lambda time: f"{time:%b %d, %Y, %I:%M %p}",
    "whole name first, 12 h": lambda time: f"{time:%B %d, %Y at %I:%M:%S %p}".replace("AM", "a.m.").replace(
        "PM", "p.m."
    ),
    "weekday": lambda time: f"{time:%a, %d %b %Y %H:%M:%S GMT}",
    "day first": lambda time: f"{time:%d/%m/%Y %H:%M}",
    "day first, dots": lambda time: f"{time:%d.%m.%Y %H:%M:%S}",
    "day first, dashes": lambda time: f"{time:%d-%m-%Y %H:%M}",
    "month first, 12 h": lambda time: f"{time.month}/{time.day}/{time.year} {time:%I:%M:%S %p}",
    "month first": lambda time: f"{time:%m/%d/%Y %H:%M}",
}

MISSING, UNREADABLE, OLD, LATE, NO_TRACK, NO_ARTIST = (
    "time of the play is missing",
    "time of the play is no date and time, or its day and month could be either",
    "time of the play lies before 2002",
    "time of the play lies after the import",
    "track is missing",
    "artist is missing",
)
WIDTH, NO_JSON, NO_OBJECT = (
    "row has more or fewer fields than the first row",
    "line is no JSON",
    "record is no object",
)


@dataclass
class Variant:
    """A file, and the account that its import must give."""

    name: str
    file_name: str
    content: bytes
    format: str
    accepted: int = len(SONGS)
    duplicates: int = 0
    rejected: list[str] = field(default_factory=list)
    left_out: int = 0


@dataclass(frozen=True)
class _Table:
    """How a table of scrobbles is written."""

    columns: Sequence[str] = ("artist", "album", "track", "date")
    fields: Sequence[str] = ("artist", "album", "track", "played_at")
    delimiter: str = ","
    time_form: str = "epoch seconds"
    encoding: str = "utf-8"
    quoting: int = csv.QUOTE_MINIMAL
    has_header: bool = True
    line_end: str = "\n"
    first_line: str = ""
    escape: str | None = None


def write_scrobble_table(table: _Table, rows: Sequence[Json]) -> bytes:
    """Write scrobbles as a table; a row of a ``raw`` text is written as it is."""
    text = io.StringIO()
    text.write(table.first_line)
    writer = csv.writer(
        text,
        delimiter=table.delimiter,
        quoting=table.quoting,  # type: ignore[arg-type]
        lineterminator=table.line_end,
        escapechar=table.escape,
        doublequote=not table.escape,
    )
    if table.has_header:
        writer.writerow(table.columns)
    for row in rows:
        if "raw" in row:
            text.write(row["raw"] + table.line_end)
        else:
            writer.writerow([row.get(name, "") for name in table.fields])
    return text.getvalue().encode(table.encoding)


def make_scrobbles(time_form: str) -> list[Json]:
    """Return the good scrobbles."""
    write_time = TIME_FORMS[time_form]
    return [
        {
            "artist": artist,
            "album": album,
            "track": track,
            "played_at": write_time(time),
            "day": f"{time:%d %b %Y}, 00:00",
        }
        for (artist, album, track), time in zip(SONGS, TIMES, strict=True)
    ]


def build_csv_variants() -> Iterator[Variant]:
    """Yield tables in more than 40 variants."""
    yield from _build_lastfm_tables()
    yield from _build_apple_tables()


def _build_lastfm_tables() -> Iterator[Variant]:
    official = ("ISO time", "unixtime", "track name", "track mbid", "artist name", "artist mbid", "album name")
    official_fields = ("", "played_at", "track", "", "artist", "", "album")
    ghan_fields = ("played_at", "", "artist", "", "album", "", "track", "")
    ghan = ("uts", "utc_time", "artist", "artist_mbid", "album", "album_mbid", "track", "track_mbid")
    stats = ("Artist", "Album", "AlbumId", "Track", "Date#ada")
    stats_fields = ("artist", "album", "", "track", "played_at")
    tables = {
        "lastfmstats": _Table(stats, stats_fields, ";", "epoch milliseconds", "utf-8-sig", csv.QUOTE_ALL),
        "mainstream.ghan.nl": _Table(ghan, ghan_fields, quoting=csv.QUOTE_ALL),
        "official archive": _Table(official, official_fields, "\t"),
        "benjaminbenben": _Table(time_form="day and month's name", has_header=False),
        "nameless without album": _Table(
            (), ("artist", "track", "played_at"), time_form="date and time", has_header=False
        ),
        "lastfm-export": _Table(
            ("artist", "track", "album", "timestamp_utc"),
            ("artist", "track", "album", "played_at"),
            time_form="ISO with Z",
        ),
        "other order and case": _Table(
            ("DATE", "Track Name", "ALBUM", "Artist Name"),
            ("played_at", "track", "album", "artist"),
            time_form="date and time",
        ),
        "text and number": _Table(("artist", "track", "date", "timestamp"), ("artist", "track", "day", "played_at")),
        "text named as a number": _Table(
            ("artist", "track", "timestamp", "date"), ("artist", "track", "day", "played_at")
        ),
        "semicolons": _Table(delimiter=";", line_end="\r\n"),
        "tabs": _Table(delimiter="\t"),
        "bars": _Table(delimiter="|"),
        "hint for Excel": _Table(delimiter=";", first_line="sep=;\n"),
        "UTF-16": _Table(encoding="utf-16", delimiter="\t", line_end="\r\n"),
        "Windows-1252": _Table(encoding="cp1252", line_end="\r\n"),
        "backslashes": _Table(quoting=csv.QUOTE_ALL, escape="\\"),
        "line ends of old Macs": _Table(line_end="\r"),
        "all quoted, BOM": _Table(encoding="utf-8-sig", quoting=csv.QUOTE_ALL),
    }
    tables |= {f"time: {form}": _Table(time_form=form) for form in TIME_FORMS}
    for name, table in tables.items():
        rows = make_scrobbles(table.time_form)
        content = write_scrobble_table(table, rows)
        yield Variant(f"CSV: {name}", f"scrobbles {name[:3]}.csv", content, "lastfm_export")
    yield from _build_damaged_tables()


_IMPOSSIBLE_TIMES = ("0", "yesterday", "2024-13-01 10:00", "1000000000", "4000000000")


def _build_damaged_tables() -> Iterator[Variant]:
    rows = make_scrobbles("epoch seconds")
    damaged_rows: dict[str, tuple[list[Json], list[str], int]] = {
        "now playing": ([{**rows[0], "played_at": ""}], [MISSING], 0),
        "equal rows": ([rows[0], rows[1], rows[1]], [], 3),
        "too few fields": ([{"raw": "Weezer,Buddy Holly"}], [WIDTH], 0),
        "too many fields": ([{"raw": "Earth, Wind & Fire,I Am,Star,1700000000"}], [WIDTH], 0),
        "empty fields": ([{**rows[0], "track": ""}, {**rows[0], "artist": " "}], [NO_TRACK, NO_ARTIST], 0),
        "impossible times": (
            [
                {**rows[0], "played_at": time}
                for time in ("0", "yesterday", "2024-13-01 10:00", "1000000000", "4000000000")
            ],
            [UNREADABLE, UNREADABLE, UNREADABLE, OLD, LATE],
            0,
        ),
        "undecided dates": ([{**rows[0], "played_at": "03/04/2024 10:00"}], [UNREADABLE], 0),
        "empty lines": ([{"raw": ""}, {"raw": ""}], [], 0),
        "delimiters at the end": ([{"raw": f"Weezer,Weezer,Buddy Holly,{rows[0]['played_at']},,"}], [], 1),
    }
    for name, (added_rows, rejected, duplicates) in damaged_rows.items():
        content = write_scrobble_table(_Table(), [*rows, *added_rows])
        yield Variant(f"CSV: {name}", "lastfm.csv", content, "lastfm_export", duplicates=duplicates, rejected=rejected)
    nameless = _Table(time_form="day and month's name", has_header=False)
    playing = {**rows[0], "played_at": ""}
    content = write_scrobble_table(nameless, [playing, *make_scrobbles(nameless.time_form)])
    yield Variant("CSV: nameless, now playing first", "ada.csv", content, "lastfm_export", rejected=[MISSING])


APPLE_HEADER = (
    *("Apple ID Number", "Album Name", "Artist Name", "Client IP Address", "End Reason Type", "Event End Timestamp"),
    *("Event Start Timestamp", "Event Type", "Media Duration In Milliseconds", "Media Type"),
    *("Play Duration Milliseconds", "Song Name", "UTC Offset In Seconds"),
)


def make_apple_row(artist: str, track: str, ended_at: datetime, **fields: str) -> Json:
    """Return a row of "Apple Music Play Activity.csv", with private fields."""
    return {
        "Apple ID Number": "987654321",
        "Client IP Address": "192.0.2.17",
        "Album Name": "Album",
        "Artist Name": artist,
        "Song Name": track,
        "End Reason Type": "NATURAL_END_OF_TRACK",
        "Event Start Timestamp": f"{ended_at - timedelta(minutes=3):%Y-%m-%dT%H:%M:%S}.000Z",
        "Event End Timestamp": f"{ended_at:%Y-%m-%dT%H:%M:%S}.000Z",
        "Event Type": "PLAY_END",
        "Media Duration In Milliseconds": "200000",
        "Media Type": "AUDIO",
        "Play Duration Milliseconds": "180000",
        "UTC Offset In Seconds": "3600",
        **fields,
    }


def write_apple_table(rows: Sequence[Json], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """Write "Apple Music Play Activity.csv"."""
    return write_scrobble_table(
        _Table(APPLE_HEADER, APPLE_HEADER, delimiter, encoding=encoding, quoting=csv.QUOTE_MINIMAL), rows
    )


def _build_apple_tables() -> Iterator[Variant]:
    rows = [make_apple_row(artist, track, time) for (artist, _, track), time in zip(SONGS, TIMES, strict=True)]
    file_name, name = "Apple Music Play Activity.csv", "apple_music_export"
    yield Variant("CSV: Apple", file_name, write_apple_table(rows), name)
    yield Variant("CSV: Apple, BOM", file_name, write_apple_table(rows, "utf-8-sig"), name)
    yield Variant("CSV: Apple, compressed", f"{file_name}.gz", gzip.compress(write_apple_table(rows)), name)
    spread = [{**row, "Content Name": row["Song Name"], "Song Name": ""} for row in rows[:4]] + [
        {**row, "Content Name": "", "Play Duration Milliseconds": "", "Media Duration In Milliseconds": "180000"}
        for row in rows[4:]
    ]
    content = write_scrobble_table(_Table((*APPLE_HEADER, "Content Name"), (*APPLE_HEADER, "Content Name")), spread)
    yield Variant("CSV: Apple, two columns of titles", file_name, content, name)
    too_long = [
        {**row, "Media Duration In Milliseconds": "180000", "Play Duration Milliseconds": "999000"} for row in rows
    ]
    yield Variant("CSV: Apple, longer than the song", file_name, write_apple_table(too_long), name)
    without_start = [{**row, "Event Start Timestamp": ""} for row in rows]
    yield Variant("CSV: Apple, ends alone", file_name, write_apple_table(without_start), name)
    others = [
        {**rows[0], "Event Type": "PLAY_START"},
        {**rows[0], "Event Type": "LYRIC_DISPLAY"},
        {**rows[0], "Media Type": "VIDEO"},
    ]
    yield Variant("CSV: Apple, other events", file_name, write_apple_table([*rows, *others]), name, left_out=3)
    damaged = [
        {**rows[0], "Play Duration Milliseconds": "-5"},
        {**rows[0], "Play Duration Milliseconds": "90000000"},
        {**rows[0], "Play Duration Milliseconds": "", "Event Start Timestamp": ""},
        {**rows[0], "Song Name": ""},
        {**rows[0], "Event Start Timestamp": "", "Event End Timestamp": ""},
        rows[0],
    ]
    rejected = [
        "length of the play is negative",
        "length of the play is more than a day",
        "length of the play is missing",
        NO_TRACK,
        MISSING,
    ]
    yield Variant("CSV: Apple, damaged", file_name, write_apple_table([*rows, *damaged]), name, 8, 1, rejected)


def make_listen(artist: str, album: str, track: str, time: datetime, **info: Any) -> Json:
    """Return a listen as ListenBrainz exports it."""
    return {
        "inserted_at": 1_709_294_400.123456,
        "listened_at": int(time.timestamp()),
        "track_metadata": {
            "artist_name": artist,
            "track_name": track,
            "release_name": album or None,
            "recording_msid": "5a4f2d1c-3b6e-4d0e-9a51-0d5a0f8e7c11",
            "mbid_mapping": None,
            "additional_info": {"submission_client": "player", "artist_mbids": [], **info},
        },
    }


def make_listens() -> list[Json]:
    """Return the good listens."""
    return [make_listen(*song, time) for song, time in zip(SONGS, TIMES, strict=True)]


def encode_lines(values: Sequence[Any], encoding: str = "utf-8", line_end: str = "\n") -> bytes:
    """Encode JSON lines; a text is written as it is."""
    lines = [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values]
    return "".join(line + line_end for line in lines).encode(encoding)


def encode_json(value: Any, encoding: str = "utf-8", indent: int | None = None) -> bytes:
    """Encode a JSON file."""
    return json.dumps(value, ensure_ascii=False, indent=indent).encode(encoding)


def build_json_variants() -> Iterator[Variant]:
    """Yield JSON files in more than 30 variants."""
    yield from _build_listen_files()
    yield from _build_scrobble_files()
    yield from _build_watch_histories()


def _build_listen_files() -> Iterator[Variant]:
    listens = make_listens()
    first = listens[0]
    contents: dict[str, bytes] = {
        "lines": encode_lines(listens),
        "lines, CR LF": encode_lines(listens, line_end="\r\n"),
        "lines, BOM": encode_lines(listens, "utf-8-sig"),
        "lines, UTF-16": encode_lines(listens, "utf-16"),
        "lines without end": encode_lines(listens)[:-1],
        "list": encode_json(listens),
        "list, indented": encode_json(listens, indent=2),
        "response": encode_json({"payload": {"count": 8, "listens": listens, "user_id": "ada"}}),
        "pages": encode_json([{"payload": {"listens": listens[:3]}}, {"payload": {"listens": listens[3:]}}]),
        "times with fractions": encode_lines(
            [{**entry, "listened_at": entry["listened_at"] + 0.0} for entry in listens]
        ),
        "times as text": encode_lines([{**entry, "listened_at": f"{entry['listened_at']}"} for entry in listens]),
    }
    for name, content in contents.items():
        yield Variant(f"JSON: listens, {name}", "listens.jsonl", content, "listenbrainz_export")
    compressed = gzip.compress(encode_lines(listens))
    yield Variant("JSON: listens, compressed", "2.jsonl.gz", compressed, "listenbrainz_export")
    nothing_heard = {**first, "track_metadata": {**first["track_metadata"], "track_name": ""}}
    playing = {**first, "listened_at": None}
    yield Variant(
        "JSON: listens, damaged",
        "listens.jsonl",
        encode_lines([*listens, first, '{"listened_at": 17', nothing_heard, playing, "[]", "17"]),
        "listenbrainz_export",
        duplicates=1,
        rejected=[NO_JSON, NO_TRACK, MISSING, NO_OBJECT],
    )


def _build_scrobble_files() -> Iterator[Variant]:
    rows: list[Json] = [
        {"artist": artist, "album": album, "track": track, "seconds": int(time.timestamp())}
        for (artist, album, track), time in zip(SONGS, TIMES, strict=True)
    ]
    stats = [{**row, "albumId": "", "date": row["seconds"] * 1000} for row in rows]
    api: list[Json] = [
        {
            "artist": {"mbid": "", "#text": row["artist"]},
            "album": {"mbid": "", "#text": row["album"]},
            "name": row["track"],
            "mbid": "",
            "date": {"uts": str(row["seconds"]), "#text": "13 Feb 2024, 09:05"},
        }
        for row in rows
    ]
    playing = {**{name: value for name, value in api[0].items() if name != "date"}, "@attr": {"nowplaying": "true"}}
    extended = [{**row, "artist": {"name": row["artist"]["#text"]}} for row in api]
    flat = [{"artist": row["artist"], "title": row["track"], "timestamp": row["seconds"]} for row in rows]
    iso = [{**row, "played_at": f"{time:%Y-%m-%dT%H:%M:%S+00:00}"} for row, time in zip(rows, TIMES, strict=True)]
    text = [{**row, "date": f"{time:%d %b %Y, %H:%M}"} for row, time in zip(rows, TIMES, strict=True)]
    contents: dict[str, bytes] = {
        "lastfmstats": encode_json({"username": "ada", "scrobbles": stats}),
        "lastfmstats, BOM": encode_json({"username": "ada", "scrobbles": stats}, "utf-8-sig"),
        "response": encode_json({"recenttracks": {"track": api, "@attr": {"user": "ada"}}}),
        "pages": encode_json([{"track": api[:4], "@attr": {"page": "1"}}, {"track": api[4:]}]),
        "list of lists": encode_json([api[:2], api[2:]]),
        "extended response": encode_json({"recenttracks": {"track": extended}}),
        "flat list": encode_json(flat),
        "flat lines": encode_lines(flat),
        "flat lines, ISO": encode_lines(iso),
        "times as text": encode_json(text, indent=1),
        "Windows-1252": encode_json(text, "cp1252", indent=1),
        "UTF-16": encode_json(flat, "utf-16"),
        "capitals": encode_json([{name.title(): value for name, value in row.items()} for row in flat]),
        "names in one word": encode_json(
            [{"artistName": row["artist"], "trackName": row["track"], "uts": row["seconds"]} for row in rows]
        ),
        "text and number": encode_json(
            [{**row, "playedAt": "13 Feb 2024, 00:00", "date": row["seconds"]} for row in rows]
        ),
    }
    for name, content in contents.items():
        yield Variant(f"JSON: scrobbles, {name}", "scrobbles.json", content, "lastfm_export")
    page = {"recenttracks": {"track": [playing, *api, api[3], None]}}
    yield Variant(
        "JSON: scrobbles, damaged", "recenttracks.json", encode_json(page), "lastfm_export", 8, 1, [MISSING, NO_OBJECT]
    )


def make_watch_record(artist: str, track: str, time: datetime, **fields: Any) -> Json:
    """Return a record of Takeout's watch history."""
    return {
        "header": "YouTube Music",
        "title": f"Watched {track}",
        "titleUrl": "https://music.youtube.com/watch?v=AAAAAAAAAAA",
        "subtitles": [{"name": f"{artist} - Topic", "url": "https://www.youtube.com/channel/UC"}],
        "time": f"{time:%Y-%m-%dT%H:%M:%S}.000Z",
        "products": ["YouTube"],
        "activityControls": ["YouTube watch history"],
        **fields,
    }


def _build_watch_histories() -> Iterator[Variant]:
    records = [make_watch_record(artist, track, time) for (artist, _, track), time in zip(SONGS, TIMES, strict=True)]
    german = [{**record, "title": f"{record['title'].removeprefix('Watched ')} angesehen"} for record in records]
    products = [{**record, "header": "YouTube", "products": ["YouTube Music"]} for record in records]
    video = {**records[0], "header": "YouTube"}
    removed = {**records[0], "title": "Watched https://music.youtube.com/watch?v=AAAAAAAAAAA", "subtitles": []}
    nameless = {name: value for name, value in records[0].items() if name != "subtitles"}
    name = "youtube_music_export"
    contents = {
        "English": encode_json(records),
        "indented": encode_json(records, indent=2),
        "German": encode_json(german),
        "products": encode_json([*products, {**video, "products": ["YouTube"]}]),
    }
    for title, content in contents.items():
        left_out = int(title == "products")
        yield Variant(f"JSON: watch history, {title}", "watch-history.json", content, name, left_out=left_out)
    content = encode_json([*records, video, video, removed, nameless, records[2]])
    yield Variant(
        "JSON: watch history, damaged", "watch-history.json", content, name, 8, 1, [NO_TRACK, NO_ARTIST], left_out=2
    )
