"""Transforms: DataFrame in, DataFrame out.

In: rows of the inputs in the lake, as text or as rows of ``formats.contracts``. Out: the frames of
``formats.contracts.STAGED``, and rejected rows with their reasons. Nothing here reads or writes a file, reads the clock
or draws unseeded random numbers: the reference date and seeds are parameters, and the result does not depend on the
order or the partitions of the rows.

    validation       the rules that accept a row or reject it with a reason
    kaggle           rows of Kaggle files → accepted and rejected rows
    spotify          API responses → the same, and the latest state of tracks, artists and playlists
    provider_features  responses of services for audio features → the same, for these features
    account_export   records of account exports → events
    events           events of all sources → rows of the fact tables
    anomalies        events → findings about users who behave anomalously
    catalogue        all rows about tracks and artists → the frames of the catalogue
    clusters         tracks → audio clusters
    responses        rows of the survey → its frames
    names            comparable keys of titles and artists
    name_texts       the same keys of single texts, without Spark
    times            plausible times
    uris             patterns of Spotify's URIs
    json_text        texts that are JSON
"""
