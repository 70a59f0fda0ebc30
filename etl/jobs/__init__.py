"""The steps of all runs, one function a task. Composition only: which inputs, which transforms, which load.

Every job takes its ``Settings`` and the id of its run, can be killed at any point and run again, and returns counts or
a message, never records.

    kaggle, account_import        bring a Kaggle file or an account export into the lake
    spotify, recently_played      bring responses of the Spotify API into the lake
    audio_features                bring responses of ReccoBeats into the lake
    fetch_outcomes                record the outcome of such a fetch
    refresh_plan, refresh         the catalogue: plan; transform, fit, load
    catalogue                     the parts of its transform: inputs, news, frames, what is stored for the next run
    events                        the load of events: plan, load
    event_sources, event_files    its inputs as files, and the parsing of one file
    api_events                    events in API responses
    landing, landed_inputs        land messages of a topic in the lake, and make inputs of them
    streamed_events               events in messages of a topic
    stream_watch                  the checks of the streams
    live_run, live_tables         the live tables: the run of their query, and the writing of its batches
    live_anomalies                the streaming query that looks for anomalous users
    live_agreement                the check that they agree with the star
    marts                         the marts
    anomalies                     findings about users who may behave anomalously
    forecasts                     the forecasts: plan, program, load
    erasure                       the erasure of a data subject
    avro_export                   the warehouse as Avro files
    history_export                the plays of one user as files
    maintenance                   the removal of old frames, rejected rows and logs
    run_audit                     the outcome of a run, for its log and the audit
"""
