"""Do flat minima, COST and NGDiff do here what their papers claim?"""
