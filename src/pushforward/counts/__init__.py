"""Counting: co-occurrences, naive Bayes, trees."""
