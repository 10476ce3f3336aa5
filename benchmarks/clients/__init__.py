"""
The clients of measurements, each a program that runs as a child process.

A client prepares itself, prints a line, and waits for a line before it begins with the measured
work: what is done once in a program's life is not measured.  It ends with a line of JSON.
"""
