"""DataFrame in, DataFrame out: what rows say becomes what the star holds.

In: rows of the inputs in the lake, as text or as rows of ``schemas``. Out: the frames of ``schemas.STAGED``, and the
rows that were refused, each with a reason. Nothing here reads or writes a file, asks a clock or draws at random: the
reference date and seeds are parameters, and the result does not depend on the order or partitions of the rows.

    parsed           what both come to: accepted and refused rows
    kaggle           rows of files → accepted and refused rows
    spotify          answers of the API → the same, and what is remembered of them
    account_export   records of account exports → events
    events           events of all sources → rows of the fact tables
    catalogue        all rows about tracks and artists → the star, by way of
                     names, reconcile, recordings    what is one track, what is one recording
                     winners                         which of several values a field takes
                     tracks, albums, artists, genres, playlists, aliases
    newness          how new a track is
    times            when something can have happened at all
    clusters         audio clusters: cluster_model one fit, cluster_names and cluster_numbers what they are called
    responses        answers to the survey
"""
