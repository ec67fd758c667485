"""The composition root: workers and their homes, supervision, the command line.

In: a site folder and what the command line says. Out: a running Gridpatrol. Read `run.py` first, then `worker.py` and
`control.py`.
"""
