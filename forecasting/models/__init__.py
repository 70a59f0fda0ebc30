"""Models of a group of series.

interface     what every model does
naive         seasonal naive, and the mean and median of eight weeks
statistical   exponential smoothing and Theta, by statsforecast
average       all models at once, with averages of two
candidates    the models that compete
"""
