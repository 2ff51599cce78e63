"""Editions: what an agreement gives, masked and cut, written once into a file that many reads share."""
