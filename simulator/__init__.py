"""Made-up inputs, for a start without any and for tests.

In: a seed. Out: files or records of the same shape as real ones, marked as made up; the same seed gives the same
bytes. They enter through extract like any other input, and nothing below can tell the difference but by their source.

    catalogue     tracks and artists in files like Kaggle's
    listeners     people, and what they do: feeds
    spotify_api   a stand-in for the Spotify Web API
    names         names and ids that are plainly invented
"""
