"""Audio clusters of the catalogue.

kmeans       fits a model
model        one fit, and its staged frames
numbering    cluster numbers that stay stable across fits
naming       readable names of clusters
assignment   the cluster of each track
"""
