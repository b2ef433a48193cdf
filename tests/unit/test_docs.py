"""The documentation is true: each command is run by a test, each link leads somewhere, both READMEs say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from cti.cli import app
from cti.settings import CHECKOUT
from tests.documentation import PAGES, anchors, blocks, commands, links, page

MANUAL = "tests/asterisk/test_manual.py"
RUN_BY = {
    r"make (run|up|down)": "tests/asterisk/test_stack_lifecycle.py",
    r"make test": ".ci/run",
    r"\.venv/bin/rexian twin lines/hangzhou.*": "tests/unit/test_twin.py::test_what_the_page_types",
    r"\.venv/bin/rexian why CALL": f"{MANUAL}::test_the_first_call_of_the_readme",
    r"\.venv/bin/(python -m pytest tests/unit|ruff check \.|mypy)": "Makefile",
    r"cat var/demo\.json": f"{MANUAL}::test_the_first_call_of_the_readme",
    r"\.venv/bin/rexian call --keys 1": f"{MANUAL}::test_the_first_call_of_the_readme",
    r"\.venv/bin/rexian call --script script\.yaml": "tests/asterisk/test_mystery.py::test_what_the_page_types",
    r"\.venv/bin/rexian line probe lines/12333\.line\.yaml": "tests/asterisk/test_mystery.py::test_what_the_page_types",
    r"psql .* -c \"SELECT \* FROM calls\"": f"{MANUAL}::test_the_first_call_of_the_readme",
    r"\.venv/bin/rexian message .*": "tests/asterisk/test_voice_message.py::test_a_message_is_recorded_listed_and_answered",
    r"\.venv/bin/python -m texting\.phone .*": f"{MANUAL}::test_what_a_telephone_received",
    r"\.venv/bin/rexian block .*": "tests/asterisk/test_nuisance.py::test_a_blocked_number_is_told_so_and_whoever_is_in_danger",
    r"\.venv/bin/rexian account (change|help) .*": "tests/unit/test_cli.py::test_what_is_asked_of_the_controller_reaches_it",
    r"\.venv/bin/rexian account .*": "tests/asterisk/test_desk.py::test_an_account_from_its_making_to_the_audit",
    r"curl .* --cookie.*": "tests/asterisk/test_desk.py::test_signing_in_as_the_page_types_it",
    r"\.venv/bin/rexian seat .*": f"{MANUAL}::test_what_operators_type",
    r"\.venv/bin/rexian (line check|prompts check|prompts build|reload)": f"{MANUAL}::test_what_operators_type",
    r"rexian prompts (check|build)": f"{MANUAL}::test_what_operators_type",
    r"\.venv/bin/supervisorctl -c var/etc/supervisord\.conf (status|restart controller)": f"{MANUAL}::test_what_operators_type",
    r"psql .* -c \"SELECT \* FROM conservation_violations\"": f"{MANUAL}::test_what_operators_type",
    r"psql .* FROM facts .*": f"{MANUAL}::test_what_operators_type",
    r"git pull|scripts/setup run": "Makefile",
    r"\.venv/bin/rexian (status --json|call --to 12333 --keys 1 --rate 5 --json)": f"{MANUAL}::test_what_integrators_type",
    r"curl --silent .*|mosquitto_sub .*|psql \"\$\(.*": f"{MANUAL}::test_what_integrators_type",
    r"sipp .* -sn uac .*": f"{MANUAL}::test_sipp_as_a_citizen",
    r"umask 077 && mkdir .*|cp -a .*|mv var var\.before": f"{MANUAL}::test_a_backup_brings_everything_back",
    r"pg_dump .*|runuser .* pg_restore .*": f"{MANUAL}::test_a_backup_brings_everything_back",
    r"\.venv/bin/python -c \"import sqlite3; .*": f"{MANUAL}::test_a_backup_brings_everything_back",
    r"\.venv/bin/supervisorctl .* (stop|start) controller": f"{MANUAL}::test_a_backup_brings_everything_back",
    r"\.venv/bin/rexian status": f"{MANUAL}::test_a_backup_brings_everything_back",
}
"""A command of the documentation, as a pattern of the whole line, and who runs it."""

NAMES = [str(path.relative_to(CHECKOUT)) for path in PAGES]


@pytest.mark.parametrize("name", NAMES)
def test_each_command_is_run_by_something(name: str) -> None:
    for command in commands(page(name)):
        assert [by for pattern, by in RUN_BY.items() if re.fullmatch(pattern, command)], (
            f"{name}: nothing runs {command!r}. Run it in {MANUAL} and enter it in RUN_BY."
        )


def test_what_runs_the_commands_is_there() -> None:
    told = [command for path in PAGES for command in commands(path)]
    for pattern, by in RUN_BY.items():
        file, _, test = by.partition("::")
        assert f"def {test}" in page(file).read_text() if test else page(file).exists(), by
        assert any(re.fullmatch(pattern, command) for command in told), f"no page says {pattern} any more"


@pytest.mark.parametrize("name", NAMES)
def test_each_link_leads_somewhere(name: str) -> None:
    for link in links(page(name)):
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        path = (page(name).parent / target).resolve() if target else page(name)
        assert path.exists(), f"{name}: {link} leads nowhere"
        assert path.is_relative_to(CHECKOUT), f"{name}: {link} leads out of the checkout"
        assert not anchor or anchor in anchors(path), f"{name}: {target or name} has no heading #{anchor}"


@pytest.mark.parametrize("name", NAMES)
def test_each_page_can_be_reached_from_the_readme(name: str) -> None:
    seen, ahead = set[Path](), [page("README.md")]
    while ahead:
        here = ahead.pop()
        seen.add(here)
        ahead += [
            path
            for link in links(here)
            if (path := (here.parent / link.partition("#")[0]).resolve()).suffix == ".md" and path not in seen
        ]
    assert page(name) in seen, f"no page that begins at README.md points to {name}"


def test_both_readmes_say_the_same() -> None:
    english, chinese = page("README.md"), page("README.zh-CN.md")
    assert blocks(english, "sh") == blocks(chinese, "sh")
    assert _shape(english) == _shape(chinese)
    ours = {"README.md", "README.zh-CN.md"}
    assert set(links(english)) - ours == set(links(chinese)) - ours


def _shape(path: Path) -> list[str]:
    """Headings by depth, rows of tables by columns, blocks."""
    marks = []
    for line in path.read_text().splitlines():
        if found := re.match(r"#+ |\||```|\*\*\d\.|!\[", line):
            marks.append(found[0] + str(line.count("|")))
    return marks


@pytest.mark.parametrize("name", NAMES)
def test_each_command_of_ours_that_is_named_exists(name: str) -> None:
    for words in re.findall(r"`(?:\.venv/bin/)?rexian ([a-z][^`]*)`", page(name).read_text()):
        command = typer.main.get_command(app)
        for word in words.split():
            if not isinstance(command, TyperGroup):
                break
            assert word in command.commands, f"{name}: there is no `rexian {words}`"
            command = command.commands[word]
        options = {option for parameter in command.params for option in parameter.opts}
        unknown = set(re.findall(r"--[a-z-]+", words)) - options - {"--help"}
        assert not unknown, f"{name}: `rexian {words}` has no {unknown}"


def test_each_decision_is_listed_and_says_what_it_costs() -> None:
    folder = page("docs/decisions")
    listed = set(links(folder / "README.md"))
    for decision in folder.glob("[0-9]*.md"):
        assert decision.name in listed, f"docs/decisions/README.md does not list {decision.name}"
        assert "## What it costs" in decision.read_text(), f"{decision.name} does not say what it costs"
    numbers = [name[:4] for name in listed]
    assert len(numbers) == len(set(numbers)), "two decisions have one number"


def test_the_picture_of_the_architecture_is_well_formed() -> None:
    picture = page("docs/architecture.svg").read_text()
    assert picture.startswith("<svg xmlns=")
    assert "<title" in picture, "a picture without a title says nothing to who cannot see it"
    assert "href=" not in picture, "it must show without fetching anything"
