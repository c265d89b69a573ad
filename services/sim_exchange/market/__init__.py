"""The market around the matching core: prices that never were, or were recorded, and those who trade along them.

Pure: the seed, the settings and the time are arguments. It never opens a file, a socket or a clock.
"""
