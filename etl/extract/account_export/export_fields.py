"""The formats of plays: the field that tells one, the fields that are stored, and their names in other versions."""

from etl.extract.account_export import library
from etl.formats.service_exports import SERVICE_FIELDS, SERVICE_FORMATS

EXTENDED, BASIC = "extended_export", "basic_export"

FORMAT_BY_FIELD = {"ms_played": EXTENDED, "msPlayed": BASIC}
"""The format of a file of plays, by a field that only its records have."""

STORED_FIELDS = {
    **library.FIELDS,
    **dict.fromkeys(SERVICE_FORMATS, SERVICE_FIELDS),
    EXTENDED: (
        "ts",
        "platform",
        "ms_played",
        "conn_country",
        "master_metadata_track_name",
        "master_metadata_album_artist_name",
        "master_metadata_album_album_name",
        "spotify_track_uri",
        "episode_name",
        "episode_show_name",
        "spotify_episode_uri",
        "audiobook_title",
        "audiobook_uri",
        "audiobook_chapter_uri",
        "audiobook_chapter_title",
        "reason_start",
        "reason_end",
        "shuffle",
        "skipped",
        "offline",
        "offline_timestamp",
        "incognito_mode",
        "audiobook_author_name",
    ),
    BASIC: (
        "endTime",
        "artistName",
        "trackName",
        "podcastName",
        "episodeName",
        "msPlayed",
        "audiobookName",
        "chapterName",
        "authorName",
    ),
}
"""The stored fields of a record, by format. All other fields are left out: IP address, login name, user agent, and any
field that Spotify adds later and that has not been reviewed."""

_SPOKEN_FIELD_ALIASES = {
    EXTENDED: {
        "episode_show_name": ("podcastname", "podcasttitle", "showname", "showtitle", "episodeshow"),
        "episode_name": ("episodename", "episodetitle", "podcastepisodename"),
        "spotify_episode_uri": ("episodeuri",),
        "audiobook_title": ("audiobookname", "audiobooktitle", "bookname", "booktitle"),
        "audiobook_uri": ("spotifyaudiobookuri",),
        "audiobook_chapter_title": ("audiobookchaptername", "audiobookchapter", "chaptername", "chaptertitle"),
        "audiobook_chapter_uri": ("chapteruri", "spotifychapteruri", "spotifyaudiobookchapteruri"),
        "audiobook_author_name": ("audiobookauthor", "authorname", "author"),
    },
    BASIC: {
        "podcastName": ("podcasttitle", "showname", "showtitle", "episodeshowname"),
        "episodeName": ("episodetitle", "podcastepisodename"),
        "audiobookName": ("audiobooktitle", "bookname", "booktitle"),
        "chapterName": ("chaptertitle", "audiobookchaptername", "audiobookchaptertitle", "audiobookchapter"),
        "authorName": ("audiobookauthor", "audiobookauthorname", "author"),
    },
}
FIELD_BY_ALIAS = {
    format_name: {
        alias: field for field, aliases in fields.items() for alias in (field.lower().replace("_", ""), *aliases)
    }
    for format_name, fields in _SPOKEN_FIELD_ALIASES.items()
}
"""The names that fields of spoken plays have in exports of other versions and kinds, in lower case without underscores,
by format."""
