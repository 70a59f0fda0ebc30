"""Engines that compute.

spark         Spark sessions
datafusion    SQL over Arrow tables, within this process
parallel_map  one function on many items, on local threads or on Spark's executors
"""
