"""The simulator's tasks.

catalogue_files  the files of an import: Kaggle's, or those of a synthetic catalogue
feed             simulated listening events
mock_api         the seed data of the mock Spotify API
"""
