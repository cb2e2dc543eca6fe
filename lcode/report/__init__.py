"""What was found, for people: figures, one self-contained HTML page, tables for the terminal. No torch here."""
