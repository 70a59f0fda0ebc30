"""Events of all sources: from records to rows of the fact tables.

feed_queries       the queries that validate a feed's records and turn them into rows of EVENT_ROW and USER_ROW
feed_records       the records of a feed → accepted and rejected rows, by those queries
user_records       the users that feeds describe
event_ids          the id of an event, for all sources
dimension_members  the users, artists, tracks, playlists and contexts of events
utc_offsets        the offsets of timezones from UTC
live_counts        the counts of a batch of events from the topic, for the live tables
facts              events and the keys of their dimension members → rows of the fact tables
play_matching      records of several sources that report one play
play_pairing       the pairing of plays of two sources, as many pairs as possible
"""
