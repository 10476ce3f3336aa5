"""
Tests for ``txstorage.cli.doctor.ec2``.
"""
