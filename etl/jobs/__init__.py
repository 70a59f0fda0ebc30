"""One function a task: what to read, which transforms to call, what to hand to the load. Composition only.

Every job takes its ``Settings`` and the id of its run, may be killed anywhere and run again, and returns counts or a
sentence, never records.

    kaggle account_export         a file, an export of an account into the lake
    feed                          a made-up feed into the lake
    spotify recently_played       what the Spotify API answers, into the lake
    stand_in                      what the API's stand-in serves
    refresh                       the catalogue: plan, transform, fit, load
    spotify_answers               what the API's answers are for it
    events                        the load of events: plan, load
    told api_events               what files, and the API's answers, tell of them
    marts                         the marts
    forget                        a person out of everything
    forget_lake forget_feeds      out of the lake, out of its feeds
    maintenance                   what nobody needs any more
    report                        what a run did, for its log
"""
