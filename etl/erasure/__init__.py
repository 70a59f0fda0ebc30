"""Erasure of a data_subject from the lake, feeds, api_responses and the warehouse."""
