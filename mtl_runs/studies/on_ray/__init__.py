"""What training on Ray costs beside processes of the same machine, and what a killed worker loses.

`plan` says what is trained, `measure` trains and measures it, `killing` kills a worker, `asking` times the monitor's
decisions, `report` makes the table.
"""
