"""The command line as a person meets it: help everywhere, exit codes 0, 1 and 2, one plain sentence when it fails.

Each command runs as a process of its own: as root, some of them stop being root for good.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import typer

from calls.errors import NotPossible
from cti.cli import app
from cti.control import (
    AddAccount,
    AnyRequest,
    AskStatus,
    BlockNumber,
    ChangeAccount,
    ControlServer,
    HelpAccount,
    Reload,
    SeatLogOut,
    SeatMoreTime,
    SeatNotReady,
    SeatReady,
    SeatRedial,
    SeatVerify,
)
from cti.desk.accounts import Handed
from cti.settings import CHECKOUT
from cti.status import Done, Status
from tests.status import STATUS

REXIAN = Path(sys.executable).with_name("rexian")


class Said(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one line that a failed command says, without its name."""
        (line,) = self.err.splitlines()
        assert line.startswith("rexian: ")
        return line.removeprefix("rexian: ")


Run = Callable[..., Awaitable[Said]]


@pytest.fixture
def rexian(tmp_path: Path) -> Run:
    """Run the command in a deployment of its own, which is not there yet; variables by their names."""

    async def run(*words: str | Path, **variables: str) -> Said:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("REXIAN_")}
        clean |= {"REXIAN_STATE_DIR": str(tmp_path / "state"), "NO_COLOR": "1", "COLUMNS": "200"}
        process = await asyncio.create_subprocess_exec(
            REXIAN, *words, stdout=-1, stderr=-1, cwd=tmp_path, env=clean | variables
        )
        out, err = await process.communicate()
        assert process.returncode is not None
        said = Said(process.returncode, out.decode(), err.decode())
        assert "Traceback" not in said.err
        return said

    return run


# Help and wrong use


def _commands(command: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Typer brings a click of its own, under a private name; so Any."""
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, *words, name)


COMMANDS = dict(_commands(typer.main.get_command(app)))


def test_these_are_the_commands() -> None:
    leaves = {" ".join(words) for words, command in COMMANDS.items() if not hasattr(command, "commands")}

    assert leaves == {
        *(
            "serve",
            "status",
            "reload",
            "call",
            "why",
            "twin",
            "seat ready",
            "seat not-ready",
            "seat more-time",
            "seat redial",
            "seat verify",
            "seat log-out",
            "message list",
            "message answered",
            "account list",
            "account add",
            "account change",
            "account help",
            "account audit",
            "block add",
            "block list",
            "block review",
            "block lift",
        ),
        *("line check", "line draw", "line probe", "prompts build", "prompts check", "db migrate"),
    }


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_and_each_of_its_options_is_explained(words: tuple[str, ...]) -> None:
    command = COMMANDS[words]

    assert command.help
    assert [option.name for option in command.params if not option.help] == []


@pytest.mark.parametrize("words", [(), ("call",), ("seat", "ready"), ("prompts", "build")], ids=" ".join)
async def test_help_is_no_failure(rexian: Run, words: tuple[str, ...]) -> None:
    said = await rexian(*words, "--help")

    assert (said.code, said.err) == (0, "")
    assert "Usage: rexian" in said.out


@pytest.mark.parametrize(
    "words", [["dance"], ["seat"], ["seat", "ready"], ["status", "--xml"], ["call", "--max-s", "soon"]], ids=" ".join
)
async def test_wrong_use_is_told_from_failure(rexian: Run, words: list[str]) -> None:
    said = await rexian(*words)

    assert said.code == 2
    assert "Usage: rexian" in said.out + said.err


# Failures


@pytest.mark.parametrize(
    "words",
    [["status"], ["reload"], ["seat", "ready", "1001", "--adviser", "8001"], ["seat", "log-out", "1001"]],
    ids=" ".join,
)
async def test_no_controller_is_running(rexian: Run, tmp_path: Path, words: list[str]) -> None:
    said = await rexian(*words)

    assert (said.code, said.out) == (1, "")
    assert said.sentence == (
        f"no controller is running ({tmp_path}/state/run/control.sock). Mend: start the hotline: make run."
    )


async def test_no_controller_is_an_answer_for_scripts_too(rexian: Run) -> None:
    said = await rexian("status", "--json")
    answer = msgspec.json.decode(said.out)

    assert (said.code, said.err) == (1, "")
    assert answer["ready"] is False
    assert "no controller is running" in answer["problems"][0]


WRONG_SETTINGS = {
    "no such file": (None, "settings.yaml:1:1: No such file or directory. Mend: "),
    "an unknown key": ("node: a\nports: 5\n", "settings.yaml:2:1: "),
    "a wrong value": ("ring_s: soon\n", "settings.yaml:1:1: "),
    "no YAML": ("node: [a\n", "settings.yaml:"),
}


@pytest.mark.parametrize("wrong", WRONG_SETTINGS)
async def test_a_wrong_settings_file_is_told_with_its_place(rexian: Run, tmp_path: Path, wrong: str) -> None:
    text, begins = WRONG_SETTINGS[wrong]
    path = tmp_path / "settings.yaml"
    if text is not None:
        path.write_text(text)
    said = await rexian("status", REXIAN_SETTINGS=str(path))

    assert said.code == 1
    assert said.sentence.startswith(f"{tmp_path}/{begins}")
    assert "Mend: " in said.sentence


async def test_an_unknown_setting_is_told(rexian: Run) -> None:
    said = await rexian("status", REXIAN_PORT_OFSET="100")

    assert said.code == 1
    assert said.sentence.startswith("REXIAN_PORT_OFSET: there is no such setting. Mend: ")


async def test_prompts_that_were_not_built_are_told(rexian: Run) -> None:
    check = await rexian("prompts", "check")
    serve = await rexian("serve")

    assert check.code == 1
    assert "sound files are missing or out of date" in check.sentence
    assert check.sentence.endswith("Mend: rexian prompts build.")
    assert serve.code == 1
    assert "no prompts were built there. Mend: rexian prompts build." in serve.sentence


async def test_a_database_that_is_away_is_told(rexian: Run) -> None:
    said = await rexian("db", "migrate")

    assert said.code == 1
    assert "Mend: see that PostgreSQL" in said.sentence


async def test_a_call_that_cannot_begin_is_told(rexian: Run, tmp_path: Path) -> None:
    said = await rexian("call", "--say", tmp_path / "nothing.wav")

    assert said.code == 1
    assert "nothing.wav" in said.sentence


async def test_a_script_says_what_is_done_and_nothing_else_does(rexian: Run, tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("steps: [{hear: notice}]")
    beside = await rexian("call", "--script", script, "--keys", "1")
    deaf = await rexian("call", "--script", script)

    assert [said.code for said in (beside, deaf)] == [1, 1]
    assert "--from" in beside.sentence
    assert deaf.sentence.endswith("no prompts were built there. Mend: rexian prompts build.")


# Lines


async def test_the_shipped_lines_are_right(rexian: Run) -> None:
    whole = await rexian("line", "check")
    one = await rexian("line", "check", CHECKOUT / "lines/12333.line.yaml")

    assert (whole.code, whole.err) == (0, "")
    assert whole.out.startswith("12333 1")
    assert one == whole


async def test_a_wrong_line_file_is_told_with_its_place(rexian: Run, tmp_path: Path) -> None:
    shipped = (CHECKOUT / "lines/12333.line.yaml").read_text()
    wrong = tmp_path / "12333.line.yaml"
    wrong.write_text(shipped.replace("queue: pension}", "queue: pensions}"))
    line = next(number for number, text in enumerate(wrong.read_text().splitlines(), 1) if "pensions" in text)
    said = await rexian("line", "check", wrong)

    assert (said.code, said.out) == (1, "")
    assert said.sentence.startswith(f"{wrong}:{line}:")
    assert "pensions" in said.sentence
    assert "Mend: " in said.sentence


async def test_a_line_is_not_probed_by_somebody_who_cannot_hear(rexian: Run) -> None:
    said = await rexian("line", "probe", CHECKOUT / "lines/12333.line.yaml")

    assert (said.code, said.out) == (1, "")
    assert said.sentence.endswith("no prompts were built there. Mend: rexian prompts build.")


async def test_all_lines_of_another_folder_are_checked(rexian: Run, tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "lines", tmp_path / "lines")
    (tmp_path / "lines/advisers.yaml").write_text('version: "1"\nadvisers: 5\n')
    said = await rexian("line", "check", REXIAN_LINES_DIR="lines")

    assert said.code == 1
    assert said.sentence.startswith(f"{tmp_path}/lines/advisers.yaml:2:")


# Prompts


async def test_prompts_are_built_once(rexian: Run, tmp_path: Path) -> None:
    first, second, check = [await rexian("prompts", word) for word in ("build", "build", "check")]

    assert [(each.code, each.err) for each in (first, second, check)] == [(0, "")] * 3
    built = first.out.splitlines()[-1].split()
    kept = second.out.splitlines()[-1].split()
    assert built[0] == "built"
    assert int(built[1]) > 100
    assert kept[:4] == ["built", "0", "kept", built[1]]
    note, verdict = check.out.splitlines()
    assert "ug.yaml: note: " in note
    assert verdict == "ok"
    manifest = tmp_path / "state/prompts/manifest.json"
    assert manifest.stat().st_uid == (tmp_path / "state").stat().st_uid
    if os.geteuid() == 0:
        assert manifest.stat().st_uid != 0  # the daemons' own user must be able to build anew


# A controller that runs


@asynccontextmanager
async def controller(state: Path, status: Status = STATUS) -> AsyncIterator[list[AnyRequest]]:
    """Answers on the control socket; the requests that it got."""
    got: list[AnyRequest] = []

    async def answer(request: AnyRequest) -> msgspec.Struct:
        got.append(request)
        if isinstance(request, SeatReady) and request.adviser is None:
            raise NotPossible("nobody sits there. Mend: say who does.")
        if isinstance(request, AddAccount | HelpAccount):
            return Handed(request.name, "four words", "KEY")
        return status if isinstance(request, AskStatus) else Done("so it is")

    async def follow(_: str, begun: Callable[[], None]) -> AsyncIterator[msgspec.Struct]:
        begun()
        yield Done("")

    async with ControlServer(state / "run/control.sock", answer, follow).listening():
        yield got


async def test_status_says_how_it_is(rexian: Run, tmp_path: Path) -> None:
    async with controller(tmp_path / "state"):
        chinese = await rexian("status")
        english = await rexian("status", REXIAN_LANGUAGE="en")
        script = await rexian("status", "--json")

    assert [said.code for said in (chinese, english, script)] == [0, 0, 0]
    assert chinese.out.startswith("就绪 ")
    assert english.out.startswith("ready ")
    assert "1001:ready" in english.out
    assert msgspec.json.decode(script.out, type=Status) == STATUS


async def test_status_fails_while_anything_does_not_work(rexian: Run, tmp_path: Path) -> None:
    away = msgspec.structs.replace(STATUS, ready=False, problems=["the database is away"])
    async with controller(tmp_path / "state", away):
        plain = await rexian("status", REXIAN_LANGUAGE="en")
        script = await rexian("status", "--json")

    assert (plain.code, script.code) == (1, 1)
    assert plain.out.startswith("not ready ")
    assert "problem: the database is away" in plain.out
    assert msgspec.json.decode(script.out, type=Status) == away


async def test_what_is_asked_of_the_controller_reaches_it(rexian: Run, tmp_path: Path) -> None:
    async with controller(tmp_path / "state") as got:
        done = [
            await rexian("seat", "ready", "1001", "--adviser", "8001"),
            await rexian("seat", "not-ready", "1001", "--reason", "午休"),
            await rexian("seat", "more-time", "1001"),
            await rexian("seat", "redial", "1001"),
            await rexian("seat", "verify", "1001"),
            await rexian("seat", "log-out", "1001"),
            await rexian("reload"),
            await rexian("block", "add", "13800001111", "--days", "0.5", "--reason", "骂人", "--by", "8001"),
            await rexian("account", "change", "wang.li", "--role", "lead", "--role", "quality"),
        ]
        handed = [
            await rexian("account", "add", "wang.li", "--role", "adviser", "--adviser", "8001"),
            await rexian("account", "help", "wang.li", REXIAN_LANGUAGE="en"),
        ]
        refused = await rexian("seat", "ready", "1001")

    assert [(said.code, said.out) for said in done] == [(0, "so it is\n")] * 9
    asked = [
        SeatReady("1001", "8001"),
        SeatNotReady("1001", "午休"),
        SeatMoreTime("1001"),
        SeatRedial("1001"),
        SeatVerify("1001"),
        SeatLogOut("1001"),
        Reload(),
        BlockNumber("13800001111", 0.5, "骂人", "8001"),
        ChangeAccount("wang.li", ["lead", "quality"], None, disabled=False),
        AddAccount("wang.li", ["adviser"], "8001"),
        HelpAccount("wang.li", second_factor=False),
    ]
    assert got[:11] == asked
    assert [said.out for said in handed] == [
        "wang.li  一次性密码: four words\n验证器密钥: KEY\n",
        "wang.li  password, for once: four words\nkey for the authenticator: KEY\n",
    ]
    assert refused.code == 1
    assert refused.sentence == "nobody sits there. Mend: say who does."
