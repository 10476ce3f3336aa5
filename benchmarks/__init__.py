"""
Measurements of txstorage beside other clients: ``make bench``.
"""
