"""Tables and rows of numbers among printed lines."""
