"""`python -m mtl_runs` is the command `mtl-runs`, by the Python that is named."""

from mtl_runs.cli import main

if __name__ == "__main__":
    main()
