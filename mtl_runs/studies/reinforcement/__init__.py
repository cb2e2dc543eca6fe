"""Do balancers help where one policy learns several control tasks, and are its curves forecast?

`plan` says what is trained, `measure` trains it and reads the logs, `forecasts` ranks the same runs early, `report`
makes the tables.
"""
