"""Cluster numbers that keep their meaning across fits."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from etl.formats.contracts import AUDIO_FEATURES


def assign_initial_numbers(centroids: NDArray[np.float64]) -> list[int]:
    """Return the numbers of a first fit: 0 has the least energy; equal energies are ordered by the other features.

    :param centroids: one row a cluster, standardised.
    """
    energy = AUDIO_FEATURES.index("energy")
    order = sorted(range(len(centroids)), key=lambda row: (centroids[row][energy], *centroids[row]))
    numbers = [0] * len(order)
    for number, row in enumerate(order):
        numbers[row] = number
    return numbers


def match_previous_numbers(
    centroids: NDArray[np.float64], previous: NDArray[np.float64], previous_numbers: Sequence[int]
) -> list[int]:
    """Return the numbers of a refit: a new cluster takes the number of its old partner, or the smallest free number.

    The pairs of partners minimise the sum of squared distances. If there are more old clusters than new ones, the
    worst matches lose their numbers.

    :param centroids: the new centroids, one row a cluster.
    :param previous: the old centroids, standardised alike.
    :param previous_numbers: the number of each old centroid.
    """
    cost = ((centroids[:, None, :] - previous[None, :, :]) ** 2).sum(axis=2)
    partners = dict(find_optimal_pairs(cost))
    used_numbers = set(previous_numbers)
    free_numbers = (number for number in range(len(centroids) + len(used_numbers)) if number not in used_numbers)
    unmatched_rows = [row for row in range(len(centroids)) if row not in partners]
    new_numbers = dict(zip(sorted(unmatched_rows, key=lambda row: tuple(centroids[row])), free_numbers, strict=False))
    return [previous_numbers[partners[row]] if row in partners else new_numbers[row] for row in range(len(centroids))]


def find_optimal_pairs(cost: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return as many (row, column) pairs as possible, each row and column at most once, with the least sum of costs.

    The Hungarian method with potentials: rows enter one by one, each by the cheapest chain of swaps.
    """
    if cost.shape[0] > cost.shape[1]:
        return sorted((row, column) for column, row in find_optimal_pairs(cost.T))
    rows, columns = cost.shape
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    row_by_column = np.full(columns, -1)
    for row in range(rows):
        _assign_row(row, cost, row_price, column_price, row_by_column)
    return sorted((int(row), column) for column, row in enumerate(row_by_column) if row >= 0)


def _assign_row(
    row: int,
    cost: NDArray[np.float64],
    row_price: NDArray[np.float64],
    column_price: NDArray[np.float64],
    row_by_column: NDArray[np.int64],
) -> None:
    """Add a row to the matching, and update prices and ``row_by_column`` in place.

    Dijkstra's search over columns from ``row`` to a free column, by reduced costs (cost less the prices of row and
    column), which the prices keep non-negative. ``previous_column`` holds the path; along it the rows move on.
    """
    distance = np.full(cost.shape[1], np.inf)
    previous_column = np.full(cost.shape[1], -1)
    is_visited = np.zeros(cost.shape[1], dtype=bool)
    current_row, path_cost, column = row, 0.0, -1
    while current_row >= 0:
        cost_through_row = path_cost + cost[current_row] - row_price[current_row] - column_price
        is_shorter = ~is_visited & (cost_through_row < distance)
        distance[is_shorter], previous_column[is_shorter] = cost_through_row[is_shorter], column
        column = int(np.where(is_visited, np.inf, distance).argmin())
        path_cost = distance[column]
        is_visited[column] = True
        current_row = int(row_by_column[column])
    row_price[row] += path_cost
    for visited_column in np.flatnonzero(is_visited):
        slack = path_cost - distance[visited_column]
        column_price[visited_column] -= slack
        if row_by_column[visited_column] >= 0:
            row_price[row_by_column[visited_column]] += slack
    while column >= 0:
        previous = int(previous_column[column])
        row_by_column[column] = row_by_column[previous] if previous >= 0 else row
        column = previous
