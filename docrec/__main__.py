"""`python -m docrec` does what the command `docrec` does."""

from docrec.cli.app import main

if __name__ == "__main__":
    main()
