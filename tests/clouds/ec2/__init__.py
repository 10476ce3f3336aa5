"""
Tests of Amazon EC2.  They need botocore, as the wing does.
"""
