"""The command line, a file for each group of commands; `cti/cli.py` puts them together."""
