"""The embedded service's EC2 face with Amazon's own clients: ``make test-aws``."""
