"""docs/adding.md, done word by word in a fresh copy of the project: the line is right, and a caller hears what is new."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cti.settings import CHECKOUT
from tests.documentation import blocks, page

PAGE = page("docs/adding.md")
FOLDERS = (
    "bureau",
    "calls",
    "cti",
    "dialplan",
    "ivr",
    "lines",
    "prompts",
    "queues",
    "recordings",
    "texting",
    "tests/fakes",
)

WALK = """
import asyncio, json, sys
from pathlib import Path
from calls.facts import ServiceUsed
from cti.hotline import vocabulary
from ivr.flow import run_line
from ivr.lines import load_line
from tests.fakes.caller import ScriptedCaller

line = load_line(Path("lines/12333.line.yaml"), *vocabulary())
heard = []
for keys in json.loads(sys.argv[1]):
    caller = ScriptedCaller(keys)
    queue = asyncio.run(run_line(caller.window(line))).needs.queue
    uses = [[fact.service, fact.about, fact.outcome] for fact in caller.facts if isinstance(fact, ServiceUsed)]
    told = {"said": caller.said, "own_words": caller.own_words, "amount": caller.values.get("amount")}
    heard.append(told | {"uses": uses, "queue": queue})
print(json.dumps(heard))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it ships, with the page's blocks applied in their order."""
    tree = tmp_path_factory.mktemp("project")
    for folder in FOLDERS:
        shutil.copytree(CHECKOUT / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "tests/__init__.py").touch()
    for source in blocks(PAGE, "python"):
        named = source.splitlines()[0].removeprefix("# ")
        (tree / named).write_text(source, encoding="utf-8")
    for number, change in enumerate(blocks(PAGE, "diff")):
        file = tree / f"{number}.diff"
        file.write_text(change, encoding="utf-8")
        run(tree, "git", "apply", "--recount", file.name)
    return tree


def run(tree: Path, *words: str) -> str:
    """What a command there says; it must succeed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("REXIAN_", "GIT_"))}
    environment |= {"PYTHONPATH": str(tree), "GIT_CEILING_DIRECTORIES": str(tree.parent)}
    done = subprocess.run(words, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_line_is_right_afterwards_and_all_its_words_can_be_said(tree: Path) -> None:
    told = run(tree, sys.executable, "-c", "from cti.cli import main; main()", "line", "check")
    assert told.startswith("12333 1+")
    assert "6 menus, 6 queues" in told


def test_no_language_lacks_the_new_sentences(tree: Path) -> None:
    told = run(tree, sys.executable, "-c", "from prompts import *; print(Catalogue.load(CATALOGUE).problems)")
    assert told == "()\n"


def test_a_caller_hears_the_service_and_reaches_the_queue(tree: Path) -> None:
    keyed = ["712#0", "72", "710", "7190"]
    found = run(tree, sys.executable, "-c", WALK, json.dumps([list(keys) for keys in keyed]))
    heard: dict[str, dict[str, Any]] = dict(zip(keyed, json.loads(found), strict=True))

    served = heard["712#0"]
    assert served["said"][2:] == ["menu.own", "menu.own", "talent.ask", "talent.allowance", "answer.again", "menu.own"]
    assert served["amount"] == 3_000_000
    assert served["own_words"][1].startswith("人才补贴，请按一。")
    assert served["uses"] == [["talent_allowance", "allowance", "done"]]
    assert {keys: told["queue"] for keys, told in heard.items()} == dict.fromkeys(keyed, "general") | {"72": "talent"}
    for keys, last in (("710", "talent.ask"), ("7190", "menu.own")):
        assert heard[keys]["uses"] == [["talent_allowance", "allowance", "gave_up"]]
        assert heard[keys]["said"][-1] == last
