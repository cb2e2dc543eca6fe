"""`python -m mtl_runs.cli`."""

from mtl_runs.cli import main

if __name__ == "__main__":
    main()
