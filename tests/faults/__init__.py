"""Every fault of a camera and of the line to it, what we make of it, and that no other camera notices.

`cases.py` is the table of faults, `stage.py` plays them on simulated cameras, `test_faults.py` asserts, and
`python -m tests.faults --write` measures with the deadlines of the product and writes docs/ref/faults-ingest.md.
"""
