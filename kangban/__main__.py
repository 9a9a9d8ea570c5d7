"""`python -m kangban`: the same as the `kangban` command."""

from kangban.command import main

if __name__ == "__main__":
    main()
