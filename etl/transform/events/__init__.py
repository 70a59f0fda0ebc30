"""Events of all sources on their way to the star.

feed       a feed's Avro records → rows of EVENT_ROW and USER_ROW, and what is refused
rows       what all sources have in common: the id of an event, one row for an event that was told twice
members    the users, artists, tracks, playlists and contexts that rows name
timezones  the clocks that every executor can read
facts      rows and the keys of those members → rows of the fact tables
"""
