# The two commands: `make run` and `make test`. Everything else they need, they fetch and set up themselves.

PYTHON := .venv/bin/python

.PHONY: help run up down test bench soak

help:
	@echo "make run    set up what is missing, then the whole hotline in the foreground, until Ctrl-C"
	@echo "make up     the same in the background; make down stops it"
	@echo "make test   set up what is missing, then every check and every test but the long ones"
	@echo "make bench  the figures, side by side with Asterisk's own queue; also in var/bench/latest.json"
	@echo "make soak   the long tests, then an hour of random calls and faults; SOAK='--seconds 600 --seed 7' changes that"

run:
	@scripts/setup run
	@$(PYTHON) -m cti.stack run

up:
	@scripts/setup run
	@$(PYTHON) -m cti.stack up

down:
	@test -x $(PYTHON) || { echo "rexian: nothing is set up here, so nothing runs. Mend: make run" >&2; exit 1; }
	@$(PYTHON) -m cti.stack down

# The first ones need no telephone with many keys: the other hotline still builds its voices then, and the browsers are at work.
BESIDE := $(patsubst %,tests/asterisk/test_%.py,desk callback queue_rules nuisance voice_message fax texts information dead_air \
	keys keyed_secrets keys_anything assisted rating services mystery slow_speech)

# What is done in the pages, and by those who sit there.
PAGES := tests/browser $(patsubst %,tests/asterisk/test_%.py,transfer consulting lead)

# Each stack's tests have temporary files of their own: a start of pytest takes from everybody else what is below the common
# folder. The parts keep that: its short name leaves room for the names of their sockets.
TEMP := $(or $(TMPDIR),/tmp)/rexian-$(shell id -un)
lane = mkdir -p $(TEMP)-$(1) && PYTEST_DEBUG_TEMPROOT=$(TEMP)-$(1) $(2) $(PYTHON) -m pytest -m "not long"

test:
	@scripts/setup test
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	$(PYTHON) -m cti.asterisk.generate --check
	@scripts/check-web
	@mkdir -p build
	@# Side by side: the tests of the whole hotline wait most of the time; three stacks of it, and the parts.
	@# Sound comes first: the units, which only calculate, get what the telephones leave.
	@{ nice -n 15 $(PYTHON) -m pytest tests/unit; unit=$$?; nice -n 10 $(PYTHON) -m pytest tests/contract; exit $$((unit + $$?)); } \
		> build/parts.log 2>&1 & parts=$$!; \
	{ $(call lane,beside,HOTLINE_PORT_OFFSET=21000) $(BESIDE); } > build/beside.log 2>&1 & beside=$$!; \
	{ $(call lane,pages,HOTLINE_PORT_OFFSET=23500) $(PAGES); } > build/pages.log 2>&1 & pages=$$!; \
	$(call lane,whole) tests/asterisk $(patsubst %,--ignore=%,$(BESIDE) $(PAGES)); whole=$$?; \
	wait $$beside; beside=$$?; cat build/beside.log; \
	wait $$pages; pages=$$?; cat build/pages.log; \
	wait $$parts; parts=$$?; cat build/parts.log; exit $$((whole + beside + pages + parts))

bench:
	@scripts/setup test
	@$(PYTHON) -m benchmarks $(BENCH)

soak:
	@scripts/setup test
	$(PYTHON) -m pytest -m long tests/browser tests/asterisk
	@$(PYTHON) -m tests.soak $(SOAK)
