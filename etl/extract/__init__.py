"""Brings bytes in: from a file, a folder or a URL into the lake, as they are.

In: a place named by a person. Out: an input in the lake with a ``Received`` note that says what it is and how many
rows it has. A file that is not what it should be raises ``WrongFileError`` and leaves nothing behind. Nothing is
transformed here.

    kaggle           files of Kaggle's formats, and made-up ones of the same kind
    archives         zip files of several tables
    account_export   the listening history that Spotify sends on request
    feed             Avro files of events and of users
    spotify          what the Spotify Web API answers
"""
