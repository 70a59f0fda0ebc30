"""Spotify's answers: each thing in them becomes an accepted row or a refused one, and what they say is remembered.

things   answers, taken apart: tracks, artists, playlists, audio features, profiles
memory   what all answers so far say, the newest word on each thing, folded forward night by night
rows     the memory as rows of the catalogue, and what a night's answers add beside it
events   what accounts did: tracks saved, artists followed, tracks played
"""
