"""The generated files as a whole: their text, and whether the folder still holds it."""

import argparse
import sys
from pathlib import Path

from cti.asterisk.generate.layout import snake
from cti.asterisk.generate.operations import operations_module, package_module
from cti.asterisk.generate.structs import events_module, models_module
from cti.asterisk.specification import vendored, vendored_version

FOLDER = Path(__file__).parent.parent / "generated"
COMMAND = "python -m cti.asterisk.generate"


def render() -> dict[str, str]:
    """The text of every generated file, by file name."""
    resources, version = vendored(), vendored_version()
    return {
        **{f"{snake(name)}.py": operations_module(name, each, version) for name, each in resources.items()},
        "models.py": models_module(resources, version),
        "messages.py": events_module(resources, version),
        "__init__.py": package_module(resources, version),
    }


def stale(folder: Path, files: dict[str, str]) -> list[str]:
    """The names of the files in `folder` that differ from `files`, are missing there, or should not be there."""
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.py")}
    return sorted(name for name in present.keys() | files.keys() if present.get(name) != files.get(name))


def write(folder: Path, files: dict[str, str]) -> None:
    """Make `folder` hold exactly `files`."""
    folder.mkdir(exist_ok=True)
    for name in stale(folder, files):
        if name in files:
            (folder / name).write_text(files[name], encoding="utf-8")
        else:
            (folder / name).unlink()


def main(arguments: list[str] | None = None, folder: Path = FOLDER) -> int:
    """Generate, or with `--check` only compare: 0 done or fresh, 1 stale."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Generate the ARI client from Asterisk's Swagger files.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the generated files are stale")
    check = parser.parse_args(arguments).check
    files = render()
    if not check:
        write(folder, files)
        return 0
    if names := stale(folder, files):
        sys.stderr.write(f"{folder}: stale: {', '.join(names)}. Run `{COMMAND}` and commit what it writes.\n")
        return 1
    return 0
