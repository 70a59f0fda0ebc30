"""Engines that compute: spark sessions, datafusion tables and the parallel_map over files."""
