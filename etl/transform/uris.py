"""Patterns of Spotify's URIs; the first group is the id."""

TRACK_URI = "^spotify:track:([0-9A-Za-z]{22})$"
ARTIST_URI = "^spotify:artist:([0-9A-Za-z]{22})$"
PLAYLIST_URI = "^spotify:(?:user:[^:]+:)?playlist:([0-9A-Za-z]{1,255})$"
LOCAL_URI = "^spotify:local:"
SPOKEN_URI = "^spotify:(episode|chapter|show|audiobook):[0-9A-Za-z]+$"
"""Spoken content, which may stand in the field of a track; without a group for the id."""
