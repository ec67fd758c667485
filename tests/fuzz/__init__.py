"""Fuzzing of every parser that reads bytes from outside. See CONTRIBUTING.md on how to run it.

In: `corpus/<target>/`, inputs made by `seeds.py` and those that once failed (`found-…`). Out: a failure, or nothing. A target is
a function that takes bytes and raises only where an invariant is broken; `catalogue.py` lists them all. Read that first.
"""
