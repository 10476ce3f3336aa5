"""
A fake OpenStack for measurements, in a process of its own.

The fake cloud has the routes that life cycles of volumes need: Identity v3, Block Storage v3 with
microversions, and Compute v2.1.  It keeps everything in memory, encodes a volume only after a
change, and counts what it is asked, so that it costs a fraction of any client's CPU time.
"""
