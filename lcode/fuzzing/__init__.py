"""Damaged inputs for every reader: whatever stands in a file, the answer is a result or an error of our own.

`python -m lcode.fuzzing --inputs 20000` tries so many per reader; the suite tries a thousand.
"""
