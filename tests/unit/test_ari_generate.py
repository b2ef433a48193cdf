"""The generated client is what the vendored Swagger files say, and says so when it is not."""

import inspect
from pathlib import Path

import pytest

from cti.asterisk.generate.files import FOLDER, main, render, stale, write
from cti.asterisk.generate.layout import WIDTH, bracketed, docstring, python_type, snake
from cti.asterisk.generated import ASTERISK, Resources
from cti.asterisk.generated import messages as told
from cti.asterisk.specification import event_types, vendored, vendored_version


def test_the_generated_files_are_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err


def test_a_stale_file_is_named_with_the_command_that_mends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, render())
    (tmp_path / "channels.py").write_text("")
    (tmp_path / "bridges.py").unlink()
    (tmp_path / "left_over.py").write_text("")

    assert main(["--check"], tmp_path) == 1

    said = capsys.readouterr().err
    assert "bridges.py, channels.py, left_over.py" in said
    assert "python -m cti.asterisk.generate" in said


def test_generating_mends_it(tmp_path: Path) -> None:
    (tmp_path / "left_over.py").write_text("")

    assert main([], tmp_path) == 0

    assert stale(tmp_path, render()) == []
    assert not (tmp_path / "left_over.py").exists()


def test_every_operation_and_every_event_is_there() -> None:
    resources = vendored()
    made = vars(Resources(transport=None))  # type: ignore[arg-type]  # nothing is sent
    for name, declared in resources.items():
        methods = dict(inspect.getmembers(made[snake(name)], inspect.iscoroutinefunction))
        said = {snake(each.nickname) for _, each in declared.operations() if each.response_class != "binary"}
        assert set(methods) == said
    assert sum(len(list(each.operations())) for each in resources.values()) == 108
    assert all(hasattr(told, each) for each in event_types(resources))


def test_the_version_is_recorded_once() -> None:
    assert vendored_version() == ASTERISK
    assert all(ASTERISK in text.read_text(encoding="utf-8") for text in FOLDER.glob("*.py"))


@pytest.mark.parametrize(
    ("swagger", "python"),
    [
        ("sendDTMF", "send_dtmf"),
        ("channelId", "channel_id"),
        ("from", "from_"),
        ("list", "list_all"),
        ("timeout", "timeout_s"),
        ("external_host", "external_host"),
    ],
)
def test_names_become_pythons(swagger: str, python: str) -> None:
    assert snake(swagger) == python


@pytest.mark.parametrize(
    ("swagger", "python"),
    [("List[Channel]", "list[Channel]"), ("void", "None"), ("long", "int"), ("object", "dict[str, object]")],
)
def test_types_become_pythons(swagger: str, python: str) -> None:
    assert python_type(swagger) == python


def test_text_of_any_origin_stays_inside_its_docstring() -> None:
    namespace: dict[str, object] = {}
    text = 'Says """ and \\n and ' + "long " * 60

    lines = docstring([text, "- one: " + "item " * 40, "- two: item"], "")
    exec("\n".join(lines) + "\nkept = __doc__", namespace)

    assert all(len(line) <= WIDTH for line in lines)
    assert "Says ''' and \\n and long" in str(namespace["kept"])


def test_a_line_that_is_too_long_is_broken_one_item_a_line() -> None:
    assert bracketed("f(", ["a", "b"], ")") == ["f(a, b)"]
    assert bracketed("f(", ["a" * 80, "b" * 80], ")") == ["f(", f"    {'a' * 80},", f"    {'b' * 80},", ")"]
