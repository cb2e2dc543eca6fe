"""Does it tell how well tasks will be learned together how far they use different features (after arXiv 2402.03557)?

`plan` says what is trained, `measure` trains it and reads the logs, `report` makes the tables.
"""
