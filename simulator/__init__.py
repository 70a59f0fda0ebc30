"""Synthetic inputs, for a first start without files or credentials and for tests.

In: a seed, and the warehouse's catalogue. Out: files, records and API responses of the same shape as real ones, marked
as synthetic. The same seed gives the same bytes. They enter through extract like any other input: only their source
distinguishes them.

    synthetic_catalogue  tracks and artists in files like Kaggle's
    synthetic_names      names and ids that are plainly invented
    warehouse_reads      the recordings, playlists and survey answers that listeners choose from
    listeners            synthetic listeners and their listening events: feeds
    streams              their events, or those of files, in Kafka
    mock_api             a mock of the Spotify Web API
    jobs                 the tasks that run them
"""
