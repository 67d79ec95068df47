"""The parts of the page, a file each: a title, what to know before reading it, and a function of the view.

Each answers None where there is nothing to show.
"""
