"""The formats of Kaggle files, and the validation of their columns.

file_formats  the formats, detected by their columns
column_rules  the valid values of each column
"""
