"""Imbalance and gradient norms by backbone, first weights and quantity of data (arXiv 2509.23915).

`pretraining` makes the first weights, `plan` says what is trained, `measure` reads imbalance and norms off the logs,
`report` makes the tables.
"""
