"""Naive Bayes: fields that are independent given a class."""
