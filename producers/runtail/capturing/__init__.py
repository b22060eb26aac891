"""Publish what a program logs, warns of or prints, without a call of runtail."""
