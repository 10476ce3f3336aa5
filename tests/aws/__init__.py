"""
The embedded service's EC2 face with Amazon's own clients, and beside moto: ``make test-aws``.
"""
