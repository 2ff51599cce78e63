"""Subscriptions: changes of a source, found, logged, sent on in order, and handed to applications."""
