"""Store received bytes in the lake unchanged.

In: a path, a URL or an account. Out: an input of the lake, whose ``ReceivedInput`` manifest has its format and its
number of rows. A file that is not valid raises ``WrongFileError``, and nothing of it is stored. Nothing is transformed
here; only private fields that no later step needs are removed.

    source_files     the files that a path or URL names
    kaggle           Kaggle files, and synthetic files of the same formats
    archives         zip files of several tables
    account_export   the listening history that Spotify sends on request
    feed             Avro files of events and of users
    spotify          responses of the Spotify Web API
    audio_features   responses of services that are asked for audio features alone
"""
