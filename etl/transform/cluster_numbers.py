"""Cluster numbers that keep their meaning when clusters are fitted anew."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from etl.schemas import AUDIO_FEATURES


def first_numbers(centroids: NDArray[np.float64]) -> list[int]:
    """Numbers for a first fit: 0 has the least energy; equal energies are told apart by the other features in turn.

    :param centroids: one row a cluster, standardised.
    """
    energy = AUDIO_FEATURES.index("energy")
    order = sorted(range(len(centroids)), key=lambda row: (centroids[row][energy], *centroids[row]))
    numbers = [0] * len(order)
    for number, row in enumerate(order):
        numbers[row] = number
    return numbers


def kept_numbers(
    centroids: NDArray[np.float64], previous: NDArray[np.float64], previous_numbers: Sequence[int]
) -> list[int]:
    """Numbers for a refit: each new cluster takes the number of its old partner, the rest the smallest free ones.

    Partners are chosen so that the squared distances between them sum to the least. Of more old clusters than new ones
    the worst fitting lose their number.

    :param centroids: the new centroids, one row a cluster.
    :param previous: the old ones, standardised alike.
    :param previous_numbers: the number of each old one.
    """
    cost = ((centroids[:, None, :] - previous[None, :, :]) ** 2).sum(axis=2)
    partners = dict(optimal_pairs(cost))
    taken = set(previous_numbers)
    free = (number for number in range(len(centroids) + len(taken)) if number not in taken)
    newcomers = [row for row in range(len(centroids)) if row not in partners]
    fresh = dict(zip(sorted(newcomers, key=lambda row: tuple(centroids[row])), free, strict=False))
    return [previous_numbers[partners[row]] if row in partners else fresh[row] for row in range(len(centroids))]


def optimal_pairs(cost: NDArray[np.float64]) -> list[tuple[int, int]]:
    """(row, column) pairs, each row and column at most once and as many as possible, whose costs sum to the least.

    The Hungarian method with potentials: rows enter one by one, each by the cheapest chain of swaps.
    """
    if cost.shape[0] > cost.shape[1]:
        return sorted((row, column) for column, row in optimal_pairs(cost.T))
    rows, columns = cost.shape
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    row_of = np.full(columns, -1)
    for row in range(rows):
        _enter(row, cost, row_price, column_price, row_of)
    return sorted((int(row), column) for column, row in enumerate(row_of) if row >= 0)


def _enter(
    row: int,
    cost: NDArray[np.float64],
    row_price: NDArray[np.float64],
    column_price: NDArray[np.float64],
    row_of: NDArray[np.int64],
) -> None:
    distance = np.full(cost.shape[1], np.inf)
    came_from = np.full(cost.shape[1], -1)
    is_done = np.zeros(cost.shape[1], dtype=bool)
    here, reached, column = row, 0.0, -1
    while here >= 0:
        through = reached + cost[here] - row_price[here] - column_price
        is_shorter = ~is_done & (through < distance)
        distance[is_shorter], came_from[is_shorter] = through[is_shorter], column
        column = int(np.where(is_done, np.inf, distance).argmin())
        reached = distance[column]
        is_done[column] = True
        here = int(row_of[column])
    row_price[row] += reached
    for seen in np.flatnonzero(is_done):
        slack = reached - distance[seen]
        column_price[seen] -= slack
        if row_of[seen] >= 0:
            row_price[row_of[seen]] += slack
    while column >= 0:
        before = int(came_from[column])
        row_of[column] = row_of[before] if before >= 0 else row
        column = before
