"""Events of all sources on their way to the star.

feed       the queries that make a feed's records rows of EVENT_ROW and USER_ROW, and say why one is refused
rows       what all sources have in common: the id of an event
members    the users, artists, tracks, playlists and contexts that rows name
timezones  the clocks by which events are told, and by how much they differ from UTC
facts      rows and the keys of those members → rows of the fact tables
matching   one play that two sources tell of
"""
