"""What holds of the whole source: which folder may know which, what a package is made of, what may not be named."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

from cti.settings import CHECKOUT

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
EDGE = {"aiohttp", "mqtt5", "asyncpg", "sqlalchemy", "alembic", "litestar", "uvicorn", "sqlite3", "socket"}
OUTWARD = {"cti", "bureau", "texting"}
"""What touches network and database: the edge, and the two that stand for somebody else's systems."""
REGISTRIES = [
    ".".join(words)
    for words in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
        ("snapshot", "debian", "org"),
        ("proxy", "golang", "org"),
    )
]
"""Machines are told by their own settings where packages come from; a name written here would overrule them."""

DEVELOPERS_OWN = (".py", ".md", ".mako")
"""Sources, and the pattern of new migrations: those are made in the checkout."""


def committed() -> list[Path]:
    """Every file of the repository; where it is no checkout there is nothing to look at."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip(f"not a git checkout: {listed.stderr.strip()}")
    return [path for name in listed.stdout.split("\0") if name and (path := CHECKOUT / name).is_file()]


def packages() -> list[str]:
    """The top-level packages of the product."""
    return sorted(path.parent.name for path in CHECKOUT.glob("*/__init__.py") if path.parent.name != "tests")


def sources() -> list[Path]:
    return [path for package in packages() for path in sorted((CHECKOUT / package).rglob("*.py"))]


def test_the_layers_hold() -> None:
    """The contracts stand in pyproject.toml; see docs/decisions for why."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 kept, 0 broken" in done.stdout


def test_every_package_is_under_the_contracts_and_checked() -> None:
    linted = PROJECT["tool"]["importlinter"]

    assert sorted(linted["root_packages"]) == packages()
    layers = {name for layer in linted["contracts"][0]["layers"] for name in layer.split(" | ")}
    assert layers == set(packages())
    assert set(linted["contracts"][1]["source_modules"]) == set(packages()) - OUTWARD
    assert set(PROJECT["tool"]["mypy"]["packages"]) == {*packages(), "benchmarks", "tests"}


def test_only_the_edge_knows_network_and_database() -> None:
    """Said again without the linter's help, and of the libraries that its contract may have forgotten."""
    found = [
        f"{path.relative_to(CHECKOUT)}: {name}"
        for path in sources()
        if path.relative_to(CHECKOUT).parts[0] not in OUTWARD
        for name in _imported(path)
        if name in EDGE
    ]

    assert found == []


def _imported(path: Path) -> set[str]:
    """The top-level names that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_every_package_is_shipped_with_its_types() -> None:
    patterns = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]

    for package in packages():
        assert any(fnmatch(package, pattern) for pattern in patterns), package
        assert (CHECKOUT / package / "py.typed").is_file()
    assert not any(fnmatch("tests", pattern) for pattern in patterns)


def test_every_file_that_a_package_reads_is_shipped() -> None:
    """A data file whose ending is not listed works from the checkout and is missing from what is installed."""
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["*"]
    shipped = {path for path in committed() if path.relative_to(CHECKOUT).parts[0] in packages()}
    missing = [
        str(path.relative_to(CHECKOUT))
        for path in shipped
        if path.suffix not in DEVELOPERS_OWN and not any(fnmatch(path.name, pattern) for pattern in patterns)
    ]

    assert sorted(missing) == []


def test_no_registry_is_named() -> None:
    found = [
        f"{path.relative_to(CHECKOUT)}: {host}"
        for path in committed()
        for host in REGISTRIES
        if host.encode() in path.read_bytes()
    ]

    assert found == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(CHECKOUT))
        for path in sources()
        if (text := path.read_text()).strip() and not ast.get_docstring(ast.parse(text))
    ]

    assert silent == []


def test_no_module_keeps_state_of_its_own() -> None:
    """No globals: `cti/server.py` wires everything, so that two hotlines can live in one process of a test."""
    found = [
        f"{path.relative_to(CHECKOUT)}:{node.lineno}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Global)
    ]

    assert found == []
