"""Findings about users who may behave anomalously: suggestions for an operator, never a reason to block a user.

In: events as the live query or a load has them. Out: rows of ``FINDING``. The rules use native Spark expressions only,
on the events of a user in an hour, so the same frame works on a stream and on a table. docs/anomalies.md explains the
rules and scores.

findings    the columns of findings, and the scores of rules
user_hours  the events of each user and hour, and the findings in them
hour_rules  the rules for the events of a user in an hour
distances   the least possible distance between two countries
"""
