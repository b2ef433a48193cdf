"""What the documentation tells people to type is typed here, as it is written, on a hotline of its own.

`tests/unit/test_docs.py` knows for every command of the documentation which of these tests (or others) runs it.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cti.phone.sound import tone, write_microphone
from tests.deployment import CommandFailed, Deployment, deployed
from tests.documentation import block, blocks, page
from tests.eventually import eventually

pytestmark = pytest.mark.asterisk

PORT_OFFSET = 18_600
README, OPERATIONS, SOFTPHONES = page("README.md"), page("docs/operations.md"), page("docs/softphones.md")
QUEUES = page("docs/queues.md")
INTEGRATORS, MQTT, SQL = page("docs/integrators.md"), page("docs/mqtt.md"), page("docs/sql.md")
HELLO_S = 6
"""What the unattended seat says before it hangs up: longer than it takes to say the adviser's number."""


@pytest.fixture(scope="module")
def hotline() -> Iterator[Deployment]:
    """One for all pages; each test leaves it running."""
    with deployed(PORT_OFFSET) as deployment:
        yield deployment


def here(text: str, hotline: Deployment) -> str:
    """A text of the documentation with the ports of this deployment for the usual ones."""
    settings = hotline.settings
    for usual, ours in (
        (5060, settings.sip_port),
        (8080, settings.web_port),
        (1883, settings.mqtt_port),
        (8092, settings.texting_port),
    ):
        text = re.sub(rf"\b{usual}\b", str(ours), text)
    return text


@contextmanager
def unattended_seat(hotline: Deployment, tmp_path: Path) -> Iterator[None]:
    """baresip by the settings of docs/softphones.md for a machine without a sound card, registered."""
    folder = tmp_path / "seat1001"
    folder.mkdir()
    hello = folder / "hello.wav"
    write_microphone(hello, tone(1000, 1), HELLO_S)
    demo = json.loads(hotline.sh(block(README, "sh", "var/demo.json")))
    password = next(seat["password"] for seat in demo["seats"] if seat["user"] == "seat1001")
    config = block(SOFTPHONES, "", "audio_source aufile").replace("/tmp/hello.wav", str(hello))
    (folder / "config").write_text(config)
    accounts = here(block(SOFTPHONES, "", "answermode=auto"), hotline).replace("PASSWORD", password)
    (folder / "accounts").write_text(accounts)
    command = ["baresip", "-f", str(folder)]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT)
    with process:
        try:
            yield
        finally:
            process.kill()


async def registered(hotline: Deployment) -> None:
    """The moment from which an adviser can sit down at seat 1001."""
    sit_down = block(README, "sh", "seat ready")

    def done() -> bool:
        try:
            return hotline.sh(sit_down) == "1001 ready 8001\n"
        except CommandFailed as error:
            if "is not registered" not in str(error):
                raise
            return False

    await eventually(done)


async def test_the_first_call_of_the_readme(hotline: Deployment, tmp_path: Path) -> None:
    with unattended_seat(hotline, tmp_path):
        await registered(hotline)
        told = hotline.sh(block(README, "sh", "rexian call"))
    assert "播报工号" in told
    assert "呼叫按计划完成" in told
    rows = hotline.sh(block(README, "sh", "SELECT * FROM calls"))
    assert "12333" in rows
    assert "queued" in rows
    call_id = hotline.sh(
        block(README, "sh", "SELECT * FROM calls").replace("psql", "psql -At").replace("*", "call_id")
    ).strip()
    why = hotline.sh(block(QUEUES, "sh", "rexian why").replace("CALL", call_id))
    assert "进入队列 cards，需要 cards 1" in why
    assert "坐席 1001（8001）振铃" in why
    assert "用不上的技能最少（11 级）" in why
    (recording,) = (hotline.folder / "var/recordings").rglob("*.wav")
    assert recording.stat().st_size > HELLO_S * 8000


async def test_what_operators_type(hotline: Deployment, tmp_path: Path) -> None:
    supervisor = block(OPERATIONS, "sh", "supervisorctl -c var/etc/supervisord.conf status")
    assert hotline.sh(supervisor).count("RUNNING") == 8
    with unattended_seat(hotline, tmp_path):
        await registered(hotline)
        seats = hotline.sh(block(OPERATIONS, "sh", "seat log-out"))
    assert seats == "1001 ready 8001\n1001 not_ready 8001\n1001 ready 8001\n1001 logged_out\n"
    hotline.sh(block(OPERATIONS, "sh", "line check"))
    hotline.sh(block(page("docs/prompts.md"), "sh", "prompts").replace("rexian", ".venv/bin/rexian"))
    assert "lines_loaded" in hotline.sh(block(OPERATIONS, "sh", "SELECT at, kind, body"))
    *_, restart = block(OPERATIONS, "sh", "restart controller").splitlines()
    hotline.sh(restart)
    await eventually(lambda: ready(hotline))
    assert "(0 rows)" in hotline.sh(block(OPERATIONS, "sh", "conservation_violations"))


def ready(hotline: Deployment) -> bool:
    """`rexian status` says so."""
    try:
        hotline.sh(".venv/bin/rexian status")
    except CommandFailed:
        return False
    return True


async def test_what_integrators_type(hotline: Deployment, tmp_path: Path) -> None:
    status = json.loads(hotline.sh(block(INTEGRATORS, "sh", "status --json")))
    (documented,) = [json.loads(text) for text in blocks(INTEGRATORS, "json")]
    assert documented.keys() <= status.keys()
    assert documented["facts"].keys() == status["facts"].keys()
    health = json.loads(hotline.sh(here(block(INTEGRATORS, "sh", "curl"), hotline)))
    assert health == {"answering": True, "lines": ["12333"]}
    with unattended_seat(hotline, tmp_path):
        await registered(hotline)
        report = json.loads(hotline.sh(block(INTEGRATORS, "sh", "rexian call")))
    assert (report["completed"], report["score"], report["adviser"]) == (True, 5, "8001")
    password = json.loads((hotline.folder / "var/secrets.json").read_text())["mqtt_reader"]
    subscribe = here(block(MQTT, "sh", "mosquitto_sub"), hotline).strip()
    assert "rexian/node1/" in hotline.sh(f"PASSWORD={password}\n{subscribe} -C 1")
    assert "rexian" in hotline.sh(f"{block(SQL, 'sh', 'psql').strip()} -c '\\conninfo'")


async def test_what_a_telephone_received(hotline: Deployment) -> None:
    await eventually(lambda: _listens(hotline.settings.texting_port))  # the hotline is ready without it
    assert hotline.sh(here(block(page("docs/texts.md"), "sh", "texting.phone"), hotline)) == ""


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_sipp_as_a_citizen(hotline: Deployment) -> None:
    hotline.sh(f"cd /tmp\n{here(block(SOFTPHONES, 'sh', 'sipp'), hotline)}")


async def test_a_backup_brings_everything_back(hotline: Deployment) -> None:
    back_up, restore = block(OPERATIONS, "sh", "pg_dump"), block(OPERATIONS, "sh", "pg_restore")
    if "rexian" not in {(hotline.folder / "var").owner()}:
        restore = restore.replace("runuser -u rexian -- ", "")
    *dump, journal, files = back_up.splitlines()
    hotline.sh("\n".join(dump))
    hotline.sh(".venv/bin/rexian call --hang-up-after-s 1")  # between the two, so that the journal must bring it back
    await eventually(lambda: "||" not in calls(hotline))
    hotline.sh(f"{journal}\n{files}")
    before = calls(hotline)
    *rest, status = restore.strip().splitlines()
    hotline.sh("\n".join(rest))
    await eventually(lambda: ready(hotline))
    hotline.sh(status)
    await eventually(lambda: calls(hotline) == before)
    assert ask(hotline, "SELECT * FROM conservation_violations") == ""
    recordings = [path.name for path in (hotline.folder / "backup/recordings").rglob("*.wav")]
    assert recordings == [path.name for path in (hotline.folder / "var/recordings").rglob("*.wav")]


def calls(hotline: Deployment) -> str:
    """Every call and what became of it, a line each; a call that is not over ends in `||`."""
    return ask(hotline, "SELECT call_id, outcome, '' FROM calls ORDER BY call_id")


def ask(hotline: Deployment, query: str) -> str:
    """By the role that may only read."""
    return hotline.sh(f'psql -At "host=$PWD/var/run dbname=rexian user=rexian_read" -c "{query}"')
