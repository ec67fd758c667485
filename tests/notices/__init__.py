"""Notices on their way out: rules and words, delivery, and every kind of receiver for real."""
