# The two commands: `make run` and `make test`. Everything else they need, they fetch and set up themselves.

PYTHON := .venv/bin/python

.PHONY: help run up down test

help:
	@echo "make run    set up what is missing, then the whole hotline in the foreground, until Ctrl-C"
	@echo "make up     the same in the background; make down stops it"
	@echo "make test   set up what is missing, then every check and every test"

run:
	@scripts/setup run
	@$(PYTHON) -m cti.stack run

up:
	@scripts/setup run
	@$(PYTHON) -m cti.stack up

down:
	@test -x $(PYTHON) || { echo "rexian: nothing is set up here, so nothing runs. Mend: make run" >&2; exit 1; }
	@$(PYTHON) -m cti.stack down

test:
	@scripts/setup test
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	$(PYTHON) -m cti.asterisk.generate --check
	$(PYTHON) -m pytest
