"""One file per sub-command of `gridpatrol`; each is a thin layer over a function the tests call too.

In: what the command line says. Out: text for a person, or JSON for a program. `fleet/cli.py` lists them.
"""
