"""The steps of all runs, one function a task. Composition only: which inputs, which transforms, which load.

Every job takes its ``Settings`` and the id of its run, can be killed at any point and run again, and returns counts or
a message, never records.

    kaggle, account_import        bring a Kaggle file or an account export into the lake
    spotify, recently_played      bring responses of the Spotify API into the lake
    fetch_outcomes                record the outcome of such a fetch
    refresh                       the catalogue: plan, transform, fit, load
    api_frames                    the part of the catalogue's frames that API responses give
    events                        the load of events: plan, load
    event_sources, event_files    its inputs as files, and the parsing of one file
    api_events                    events in API responses
    marts                         the marts
    erasure                       the erasure of a data subject
    avro_export                   the warehouse as Avro files
    maintenance                   the removal of old frames, rejected rows and logs
    run_audit                     the outcome of a run, for its log and the audit
"""
