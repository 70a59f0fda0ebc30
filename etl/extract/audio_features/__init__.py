"""Fetch audio features from services that are asked for nothing else into the lake.

In: ids of tracks. Out: one input of the lake a fetch, with the responses as received. No other data is sent. A service
is a class with the methods of ``feature_fetch.FeatureService``; Spotify's own features come with its catalogue
(``extract.spotify.catalogue_fetch``), Kaggle's with its files.

    feature_fetch   the requests of one fetch, within a number of calls; what was received is never requested again
    reccobeats      ReccoBeats, a public API without a key
"""
