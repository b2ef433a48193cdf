"""The benchmarks' own arithmetic: what is printed and kept is what was measured. That they run is shown by `make bench`."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import media, mixed, profile, scenarios
from benchmarks.desks import Desk
from benchmarks.engine import decide
from benchmarks.figures import Figure, Target, percentile, save, table
from benchmarks.load import Moment, between
from benchmarks.processes import Processes, spent
from benchmarks.runs import FIGURES, MEASURES, side_by_side
from benchmarks.sampled import Samples
from benchmarks.told import DESKS
from cti.bus import SeatNow
from cti.desk.feed import QueueGone, SeatTold

PUBLIC = {"calls_per_s", "cpu_ms_per_call", "freed_seat_ms_p50", "decision_ms_p99", "fact_to_browser_ms_p95"}
"""Scripts read these from var/bench/latest.json."""

CHANNEL_STATS = """
                                             ...........Receive......... .........Transmit..........
 BridgeId ChannelId ........ UpTime.. Codec.   Count    Lost Pct  Jitter   Count    Lost Pct  Jitter RTT....
 ===========================================================================================================

 7e1d2c3b trunk-in-0000001a  00:00:12 alaw       600       3    0   0.001    590       0    0   0.000   0.000
 7e1d2c3b seat1001-0000001b  00:00:11 alaw       595       0    0   0.000    590       0    0   0.000   0.000
          trunk-in-0000001c  00:00:09 alaw       450       0    0   0.000    440       0    0   0.000   0.000

Objects found: 3

"""


def test_the_table_says_what_was_reached() -> None:
    figures = [
        Figure(
            name="calls_per_s",
            value=200,
            unit="calls/s",
            rival="q",
            rival_value=250,
            target=Target(1, "higher", "ratio"),
        ),
        Figure(name="freed_seat_ms_p50", value=3.1, unit="ms", rival="q", rival_value=662, target=Target(5, "lower")),
        Figure(name="decision_ms_p99", value=0.4, unit="ms"),
    ]

    lines = table(figures).splitlines()

    assert lines[1].split() == ["calls_per_s", "200", "calls/s", "250", "0.8", ">=", "1x", "NOT", "REACHED"]
    assert lines[2].split() == ["freed_seat_ms_p50", "3.1", "ms", "662", "0.00468", "<=", "5", "reached"]
    assert lines[3].split() == ["decision_ms_p99", "0.4", "ms", "-", "-"]


def test_a_ratio_that_was_not_measured_is_not_reached() -> None:
    alone = Figure(name="calls_per_s", value=200, unit="calls/s", target=Target(1, "higher", "ratio"))
    nothing = Figure(name="freed_seat_ms_p50", value=percentile([], 50), unit="ms", target=Target(5, "lower"))

    assert "NOT REACHED" in table([alone])
    assert "NOT REACHED" in table([nothing])


def test_what_is_kept_for_scripts(tmp_path: Path) -> None:
    path = tmp_path / "bench" / "latest.json"
    save([Figure(name="freed_seat_ms_p50", value=percentile([], 50), unit="ms", rival="q", rival_value=660.0)], path)

    assert json.loads(path.read_text()) == {
        "freed_seat_ms_p50": {"value": None, "unit": "ms", "rival": "q", "rival_value": 660.0, "ratio": None}
    }


def test_the_public_figures_are_measured() -> None:
    assert FIGURES.keys() >= PUBLIC
    assert {"engine", "cost", "freed", "desks", "speed"} <= set(MEASURES)


def test_a_figure_stands_beside_the_rivals_of_the_same_name() -> None:
    figures = side_by_side(
        {"cpu_ms_per_call": 8.0, "rtp_loss": 0.0, "fact_to_browser_ms_p95": 97.0},
        {"cpu_ms_per_call": 6.0, "fact_to_browser_ms_p95": 23.0},
        {"cpu_ms_per_call": 5.0},
    )

    found = {figure.name: (figure.value, figure.rival_value, figure.rival) for figure in figures}
    assert found == {
        "cpu_ms_per_call": (8.0, 6.0, "app_queue, which records"),
        "cpu_ms_per_call_rival_unrecorded": (8.0, 5.0, "app_queue, which does not record"),
        "rtp_loss": (0.0, None, None),
        "fact_to_browser_ms_p95": (97.0, 23.0, "Mosquitto, MQTT 5 at QoS 0"),
    }


def test_a_desk_knows_how_old_each_fact_is_and_whether_one_is_missing() -> None:
    desk = Desk()
    for number in (7, 8, 10, 14):
        desk.hears(SeatTold(DESKS[0], SeatNow(state="talking", adviser=str(number), since=datetime.now(UTC))))
    desk.hears(SeatTold(DESKS[0], SeatNow(state="ready", adviser=None, since=datetime.now(UTC))))  # no fact of ours
    desk.hears(QueueGone("cards"))
    assert desk.missed == 1 + 3
    assert len(desk.ages_ms) == 4


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentile([4, 1, 3, 2], 50) == 2
    assert percentile([4, 1, 3, 2], 95) == 4
    assert percentile([7], 1) == 7


def test_the_time_between_two_moments_is_of_one_citizen() -> None:
    citizens = (Moment("KEY", 10.0, "139a"), Moment("KEY", 11.0, "139b"))
    staff = (Moment("INVITE", 11.002, "139b", "seat1001"), Moment("INVITE", 10.5, "139c", "seat1002"))

    assert between(citizens, "KEY", staff, "INVITE") == [pytest.approx(2.0)]


def test_asterisks_rtp_counts_are_read() -> None:
    assert media.legs(CHANNEL_STATS) == {
        "trunk-in-0000001a": media.Leg("7e1d2c3b", 600, 3, 590),
        "seat1001-0000001b": media.Leg("7e1d2c3b", 595, 0, 590),
        "trunk-in-0000001c": media.Leg("", 450, 0, 440),
    }


@pytest.mark.parametrize(
    ("citizen", "seat", "menu", "lost"),
    [
        ((500, 0, 500), (500, 0, 500), (500, 0, 500), 0),
        ((495, 5, 500), (500, 0, 495), (500, 0, 500), 5),  # did not arrive
        ((500, 0, 500), (500, 0, 490), (500, 0, 500), 10),  # arrived, and was not passed on
        ((500, 0, 500), (500, 0, 500), (500, 0, 480), 20),  # was not said
    ],
)
def test_every_way_to_lose_a_packet_is_counted(
    citizen: tuple[int, int, int], seat: tuple[int, int, int], menu: tuple[int, int, int], lost: int
) -> None:
    names, bridges = ("a", "b", "c"), ("one", "one", "")
    before = {name: media.Leg(bridge, 100, 1, 90) for name, bridge in zip(names, bridges, strict=True)}
    after = {
        name: media.Leg(bridge, 100 + received, 1 + missing, 90 + sent)
        for name, bridge, (received, missing, sent) in zip(names, bridges, (citizen, seat, menu), strict=True)
    }

    assert media.lost(before, after, 10.0) == pytest.approx(lost / 2000, abs=1e-6)


def test_nobody_there_is_no_clean_sound() -> None:
    assert media.lost({}, {}, 10.0) == 1.0


SCENARIOS = {
    "register": scenarios.registration(),
    "seat": scenarios.seat(scenarios.wait_for_hang_up(scenarios.SEAT)),
    **{f"citizen {number}": scenario for number, (_, scenario) in enumerate(mixed.KINDS)},
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenarios_are_well_formed_and_number_their_requests(name: str) -> None:
    steps = ElementTree.fromstring(SCENARIOS[name].split("\n", 1)[1])

    messages = [step.text or "" for step in steps.iter("send")]
    numbered = [line.split()[1:] for text in messages for line in text.splitlines() if line.startswith("CSeq: ")]
    requests = [int(number) for number, method in numbered if method != "ACK"]
    assert requests == list(range(1, len(requests) + 1))
    assert all(text.lstrip("\n").split("\n")[0].split()[0].isupper() for text in messages)


def test_thirty_mixed_calls_are_thirty() -> None:
    assert mixed.CALLS_A_SECOND == 30


def test_the_cpu_of_children_that_ended_is_counted() -> None:
    burn = "import time\nwhile time.process_time() < 0.2: pass"
    me = Processes({"me": 0})
    me.pids["me"] = int(Path("/proc/self/stat").read_text().split()[0])
    before = me.cpu_ms()
    subprocess.run([sys.executable, "-c", burn], check=True)

    used = spent(before, me.cpu_ms())

    assert used["me"] >= 180
    assert used["box"] >= used["me"] - 20


def test_every_turn_of_the_engine_is_measured() -> None:
    found = decide(seats=40, waiting=60, turns=21)

    assert (len(found.engine_ms), len(found.scan_ms)) == (21, 2)
    assert len(found.inputs_ms) == 5 * 21, "over, tick, accepted, answered and a new caller, each turn"
    assert found.state_changes_per_s == pytest.approx(1000 * 105 / sum(found.inputs_ms))


def test_the_profile_names_modules_functions_and_shares() -> None:
    own = {"cti/floor.py:Floor.take": 30.0, "aiohttp/client.py:request": 60.0, "aiohttp/streams.py:read": 10.0}
    samples = Samples(main_thread_ms=100.0, other_threads_ms=20.0, own=own, total={**own, "cti/server.py:serve": 100.0})

    lines = profile.page(samples, calls=10).splitlines()

    assert "10.00 ms a call in the event loop's thread, 2.00 ms in other threads" in lines[0]
    assert "   7.000   70.0%  aiohttp" in lines
    assert "   3.000   30.0%  cti/floor.py" in lines
    assert lines[-1] == "  10.000  100.0%  cti/server.py:serve"
