"""The simulator's tasks.

catalogue_files  the files of an import: Kaggle's, or those of a synthetic catalogue
feed             simulated listening events in the lake
external_feed    the same in contracts that the lake does not take, in a folder
stream           the same, or the records of files, in the topic of events
feed_form        one of these, by the contract and the destination in a form
mock_api         the seed data of the mock Spotify API
"""
