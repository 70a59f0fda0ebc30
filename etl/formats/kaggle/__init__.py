"""Kaggle's files: file_formats that are known by their headers, and the column_rules that their values follow."""
