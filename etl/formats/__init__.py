"""File formats: kaggle, tabular, avro, contracts; also compression, geography and time_limits."""
