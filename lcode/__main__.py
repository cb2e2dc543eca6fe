"""`python -m lcode` is the command `lcode`, by the Python that is named."""

from lcode.cli import main

if __name__ == "__main__":
    main()
