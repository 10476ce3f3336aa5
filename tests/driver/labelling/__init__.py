"""
Tests of volumes with labels.
"""
