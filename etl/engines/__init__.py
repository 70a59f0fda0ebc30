"""Engines that compute.

spark             Spark sessions
small_frames      small frames between Spark and Arrow
spark_failures    messages for the failures of Spark's processes
shared_driver     the use of a Java process of Spark that outlives a step
driver_server     the process that keeps it
forecast_program  the program of the forecasts, in an environment of its own
datafusion        SQL over Arrow tables, within this process
parallel_map      one function on many items, on local threads or on Spark's executors
"""
