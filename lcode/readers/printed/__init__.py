"""What programs print while they train, from a line to a whole text.

`lines` says what one line tells, `tables` what a table among them tells, `settings` what was set, `runs` which
trainings a text holds and how they ended, and `texts` brings all of it together as rows; `loggers` makes runs of them.
"""
