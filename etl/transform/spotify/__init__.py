"""Responses of the Spotify API: each resource in them is accepted, or rejected with a reason.

resources       responses split into tracks, artists, playlists, audio features and profiles
latest_state    the newest values of each track, artist and playlist, updated run by run
staged_frames   the latest state as rows of the catalogue, and the frames that new responses add
account_events  tracks saved, artists followed and tracks played by accounts
"""
