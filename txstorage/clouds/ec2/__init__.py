"""
Amazon EC2: volumes of EBS, and the instances that they are attached to.
"""
