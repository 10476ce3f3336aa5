"""Tests of the recovery of a lost database."""
