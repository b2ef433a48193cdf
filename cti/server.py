"""Where the controller is put together: plain constructor calls, no container, no globals. `serve` is the process.

Crash-only: to stop is to die after the journal is safe. Calls stay up in Asterisk, and the next controller finds them; so
an upgrade, a failover and a kill are one mechanism, exercised at every restart.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Literal

import msgspec
import structlog
import uvloop

from calls.clock import SystemClock
from calls.errors import NotPossible, RexianError
from calls.facts import LinesLoaded
from calls.words import Language
from cti import secrets as secret_file
from cti.alarms import Alarms
from cti.asterisk.apidocs import compare_api
from cti.asterisk.client import Ari
from cti.asterisk.config import page_endpoint
from cti.asterisk.errors import AriError
from cti.asterisk.node import Node
from cti.board import Board, look
from cti.breaker import Breaker
from cti.bus import Bus
from cti.business import HttpBusiness
from cti.business.absent import NoBusiness
from cti.business.http import Asking
from cti.categories import Category
from cti.control import AnyRequest, ControlServer
from cti.deadair import DeadAir
from cti.desk import Accounts, Audit, Client, Doors, Feed, Limits, PagePhone, Provider, Reader, Sessions, serve_web
from cti.floor import Floor
from cti.followups import FollowUps
from cti.forms import Forms
from cti.hotline import Hotline, load_hotline, vocabulary
from cti.identification import Tries
from cti.logs import configure_logs
from cti.notices import Notices
from cti.offices import OfficeBook
from cti.orders import Orders
from cti.recorder import Recorder
from cti.screens import Screens
from cti.settings import TEXTS_FILE, Settings
from cti.skills import Skills
from cti.sms import Doorman, FileWay, GatewayWay, NoTexts, Outbox, Reports, Way
from cti.staffing import Staffing
from cti.standing import Standing
from cti.status import Status, read_status
from cti.store import Callers, Days, Journal, Shift, Shifts, Shipper, migrate
from cti.trunks import Trunks
from cti.watch import Watch
from cti.whereabouts import Whereabouts
from cti.whowaits import WhoWaits, who_waits
from dialplan.render import APP
from ivr.hours import Hours
from ivr.texts import Said
from prompts import EspeakVoice, OwnWords, Sounds
from queues import Adviser

log = structlog.get_logger(__name__)

MIGRATION_RETRY_S = 1.0
DATES_EVERY_S = 3600.0
DEMO_ADVISERS = 4
"""So many accounts to try the desk with."""
PLACES = range(1, 31)
"""Places in a queue that are said often."""


class Controller:
    """The one active brain."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SystemClock()
        keys = secret_file.load_or_create(settings.secrets_path, settings.seats)
        self._demo_password = keys.demo
        self.own_words = OwnWords(settings.prompts_dir, EspeakVoice())
        self.hotline = load_hotline(settings, self.own_words)
        self._reading = asyncio.Lock()
        self.journal = Journal(settings.journal_path, settings.node, self.clock)
        self.watch = Watch(self.journal)
        self.shipper = Shipper(self.journal, settings.postgres_dsn("rexian"))
        self.bus = Bus(
            self.journal,
            self.clock,
            host=settings.host,
            port=settings.mqtt_port,
            username="controller",
            password=keys.mqtt_controller,
        )
        self._taken = asyncio.Event()
        self._orders = Orders(self)
        self.feed = Feed()
        self.standing = Standing(
            self.clock, (self.bus, self.feed), lambda: self.floor.engine, lambda: self.hotline.queues
        )
        self.floor = Floor(
            self.clock, self.watch, self.journal, settings.seats, settings.wrap_up_s, self.standing.moved
        )
        self.recorder = Recorder(
            self.watch,
            self.journal,
            settings.recordings_dir,
            settings.raw_dir,
            settings.zone,
            settings.recording_reserve_mb,
        )
        self.ari = Ari(f"http://127.0.0.1:{settings.ari_port}/ari", APP, keys.ari, APP)
        sounds = Sounds(settings.prompts_dir, self.own_words)
        self.business = self._open_business(keys.business_token)
        """The social-security system; None: there is none."""
        self.gateway: GatewayWay | None = None
        """The SMS gateway; None: texts go into a file, or nowhere."""
        self.outbox: Outbox | None = None
        """Texts to citizens; None: none are sent."""
        self._open_texts(keys.texts_key.encode())
        self.offices = OfficeBook(
            self.clock,
            self.business or NoBusiness(),
            lambda: self.hotline.lines,
            lambda: vocabulary(self.own_words)[2],
        )
        self.notices = Notices(self.journal, self.clock, self.feed)
        self.skills = Skills(
            self.journal, self.clock, settings.zone, self.feed, lambda: self.hotline, self._take_advisers
        )
        self.follow_ups = FollowUps(self.watch, self.journal, self.clock, lambda: self.node.messages, self._today)
        self.forms = Forms(self.watch, self.journal, self.clock, self.feed, self.categories, self.follow_ups)
        self.screens = Screens(
            self.clock,
            self.feed,
            self.forms,
            Callers(settings.postgres_dsn("rexian_read")),
            Whereabouts(settings.language[:2]),
            self._looked,
        )
        self.node = Node(
            settings,
            self.ari,
            self.clock,
            self.watch,
            self.journal,
            self.floor,
            self.recorder,
            sounds,
            self.hotline.lines,
            self.business or NoBusiness(),
            Tries(self.journal, self.clock, settings.zone, keys.tries),
            self.outbox or NoTexts(),
            self.offices.of,
            self.screens,
        )
        self.provider = self._provider(keys.oidc_client_secret)
        """Who else says who signs in at the desk; None: nobody."""
        self.doors = self._open_doors(keys.audit)
        self.differences: list[str] = []
        """Between the Asterisk that runs and the one that its client was made from."""
        self.calendar_troubles: dict[str, str | None] = {}
        self.alarms = Alarms(self.watch, self.journal)
        self.staffing = Staffing(settings, self.clock, self.floor, self.alarms, lambda: self.hotline)
        self.dead_air = DeadAir(
            self.clock, self.alarms, self.feed, settings.raw_dir, settings.dead_air_s, self.node.talks
        )
        self.trunks = Trunks(settings, self.node.admission, self.node.gate)
        self._shifts = Shifts(settings.postgres_dsn("rexian_read"), settings.zone)
        self.board = Board(self.clock, lambda: look(self), Days(settings.postgres_dsn("rexian_read"), settings.zone))
        self._take(self.hotline, sounds)

    def _take(self, hotline: Hotline, sounds: Sounds) -> None:
        """Use these hotline files and prompts from now on; calls that are up finish on theirs."""
        self.hotline = hotline
        self.node.take(hotline.lines, sounds)
        self._take_advisers()
        self.skills.tell()
        versions = {number: line.version for number, line in hotline.lines.items()}
        self.watch.record(LinesLoaded(versions=versions))
        self._taken.set()
        self.offices.look()

    def _today(self) -> Hotline:
        """The files, with the skills that leads moved today."""
        return msgspec.structs.replace(self.hotline, advisers=self.skills.advisers())

    def _take_advisers(self) -> None:
        self.floor.load(self.skills.advisers(), self.hotline.queues)

    async def read_anew(self) -> None:
        """Take the hotline files as they are now. Raises BadFile when one is wrong: then nothing changes."""
        async with self._reading:  # or the older of two readings might be taken last
            self._take(*await asyncio.to_thread(self._read))

    def _read(self) -> tuple[Hotline, Sounds]:
        """The files as they are now, with all their words rendered. Blocks; what is in use is not touched."""
        return load_hotline(self.settings, self.own_words), Sounds(self.settings.prompts_dir, self.own_words)

    def _open_business(self, token: str) -> HttpBusiness | None:
        address = self.settings.business_address
        asking = address and Asking(address, token, self.settings.business_timeout_s)
        return HttpBusiness(asking, Breaker(self.clock)) if asking else None

    def _open_texts(self, key: bytes) -> None:
        settings = self.settings
        way: Way | None = None
        if address := settings.texts_address:
            way = self.gateway = GatewayWay(address, key, self.clock, settings.texts_timeout_s)
        elif settings.texts_url == TEXTS_FILE:
            way = FileWay(settings.texts_path)
        if way is not None:
            self.outbox = Outbox(self.watch, self.journal, self.clock, way, key, self._write, settings.texts_signature)
        self.reports = Reports(Doorman(key, self.clock), self.outbox)

    def _open_doors(self, key: str) -> Doors:
        audit = Audit(self.watch, self.journal, self.clock, key)
        settings = self.settings
        accounts = Accounts(self.journal, self.clock, audit, settings.first_admin_path, demo=settings.demo)
        return Doors(accounts, Sessions(self.journal, self.clock, accounts), audit, self.clock, self.provider)

    def _provider(self, secret: str) -> Provider | None:
        settings = self.settings
        if not settings.oidc_issuer:
            return None
        client = Client(settings.oidc_client_id, secret, settings.oidc_desk_url)
        reader = Reader(settings.oidc_issuer, client.id, settings.oidc_claim, settings.oidc_second_factor)
        return Provider(settings.oidc_issuer, client, reader, self.clock, settings.oidc_timeout_s)

    def _write(self, said: Said, language: Language) -> str:
        """A sentence of a text, in the words of the present prompts."""
        return self.node.sounds.written(said.key, language, **said.values)

    @property
    def texts_state(self) -> Literal["closed", "open", "half_open", "file", "none"]:
        """How it stands with texts, for `status`."""
        if self.gateway is not None:
            return self.gateway.state
        return "none" if self.outbox is None else "file"

    async def run(self) -> None:
        """Everything at once, until something is fatal."""
        async with AsyncExitStack() as stack:
            control = ControlServer(self.settings.control_socket, self.answer, self.watch.follow)
            await stack.enter_async_context(control.listening())
            await stack.enter_async_context(self.ari)
            if self.business is not None:
                await stack.enter_async_context(self.business)
            if self.gateway is not None:
                await stack.enter_async_context(self.gateway)
            if self.provider is not None:
                await stack.enter_async_context(self.provider)
            async with asyncio.TaskGroup() as tasks:
                for work in (
                    self.node.run(),
                    self.node.read_call_records(),
                    self.node.call_back(),
                    self.node.gate.run(self.node.connected),
                    self.floor.run(),
                    self.recorder.run(),
                    self.bus.run(),
                    self._ship(),
                    self.standing.run(self.node.connected),
                    self._compare_api(),
                    self._watch_dates(),
                    self.node.messages.watch(),
                    self.node.blocklist.watch(),
                    self.staffing.run(self.node.connected),
                    self.dead_air.run(),
                    self.skills.run(),
                    self._join_sentences(),
                    self._watch_business(),
                    self._send_texts(),
                    self.offices.run(),
                    self._serve_desk(),
                ):
                    tasks.create_task(work)

    async def _ship(self) -> None:
        """Bring the database up to date, whenever it comes, then ship for ever."""
        while True:
            try:
                await migrate(self.settings.postgres_dsn("rexian"), self.settings.time_zone)
                break
            except NotPossible as error:
                self.shipper.problem = str(error)
                await asyncio.sleep(MIGRATION_RETRY_S)
        await self.shipper.run()

    async def _compare_api(self) -> None:
        """Once Asterisk is there: does it speak what the client was made from?"""
        await self.node.connected.wait()
        self.differences = await compare_api(self.ari)
        for difference in self.differences:
            log.warning("asterisk differs", difference=difference)

    async def _watch_dates(self) -> None:
        """The calendar of holidays ends some day: say so while there is time. What leads have written goes some day, too."""
        while True:
            self.notices.look()
            for line in self.hotline.lines.values():
                trouble = line.hours.alarm(self.clock.utc()) if isinstance(line.hours, Hours) else None
                self.calendar_troubles[line.number] = trouble
                self.alarms.tell("calendar_ends", line.number, trouble)
            await asyncio.sleep(DATES_EVERY_S)

    async def _watch_business(self) -> None:
        """Know whether the social-security system is there, before a citizen asks."""
        if self.business is not None:
            await self.business.watch()

    async def _serve_desk(self) -> None:
        """The API for ever; whoever has no account yet finds the first one made."""
        try:
            await self.doors.accounts.first()
            if self.settings.demo:
                await self.doors.accounts.demonstrate(self._demo_password, list(self.hotline.advisers)[:DEMO_ADVISERS])
        except OSError as error:  # a full disk, most likely: callers are served all the same
            log.warning("the first admin is made at the next start", error=str(error))
        await serve_web(self.settings.api_port, self, self.doors)

    async def _send_texts(self) -> None:
        """Send what is promised, and know whether the gateway is there before a text is offered."""
        if self.outbox is not None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.outbox.run())
                tasks.create_task(self.outbox.way.watch())

    async def _join_sentences(self) -> None:
        """Have what is said to every caller ready as one file each, for the advisers and prompts of the moment, for ever."""
        strays = True  # of an earlier controller, whose calls are over or ours
        while True:
            await self._taken.wait()
            self._taken.clear()
            sounds = self.node.sounds
            numbers: list[tuple[str, int | str]] = [("seat.number", number) for number in self.hotline.advisers]
            numbers += [("queue.position", place) for place in PLACES]
            sentences = [(key, language, number) for language in sounds.languages for key, number in numbers]
            try:
                await asyncio.to_thread(sounds.join, sentences)
                if strays and sounds is self.node.sounds:
                    await asyncio.to_thread(sounds.remove_strays)
                    await asyncio.to_thread(self.own_words.remove_strays)
                strays = False
            except OSError as error:  # then they are said piece by piece
                log.warning("sentences cannot be joined", error=str(error))

    def status(self) -> Status:
        """How the hotline is, for people and scripts."""
        return read_status(self)

    def reported(self, headers: Mapping[str, str], body: bytes) -> int:
        """Take a delivery report of the SMS gateway; an HTTP status."""
        return self.reports.take(headers, body)

    def _looked(self, adviser: str, call_id: str) -> None:
        """An adviser was shown what is known of a caller: the audit log tells."""
        self.doors.audit.write("caller_shown", self.doors.accounts.under(adviser), call_id)

    def categories(self) -> tuple[Category, ...]:
        """What conversations are about, by the file of the moment."""
        return self.hotline.categories

    def outside(self) -> list[tuple[str, str]]:
        """Whom advisers may ask outside."""
        return [(one.name, one.number) for one in self.settings.outside]

    def advisers(self) -> Mapping[str, Adviser]:
        """Who takes calls here, by the file of the moment, and with what leads moved today."""
        return self.skills.advisers()

    def behind(self) -> int:
        """How many facts are not in the database yet."""
        return self.shipper.behind

    async def shift(self, adviser: str) -> Shift:
        """What this adviser did today. Raises NotPossible or TimeoutError when the database does not tell."""
        return await self._shifts.read(adviser, self.clock.utc())

    def sits(self, seat: str) -> str | None:
        """The adviser's number of who sits there. Raises NotPossible when there is no such seat."""
        return self.floor.engine.seat(seat).adviser

    def here(self) -> list[str]:
        """The adviser's number of everybody who sits at a seat."""
        return [seat.adviser for seat in self.floor.engine.seats() if seat.adviser is not None]

    def who_waits(self) -> WhoWaits:
        """Everybody in the waiting room."""
        sessions = self.node.sessions
        return who_waits(self.floor.engine, self.clock, lambda call: sessions[call].kept if call in sessions else None)

    def limits(self) -> Limits:
        """From when on something on the floor is an alarm."""
        return Limits(self.settings.long_wait_s, self.settings.long_call_s, self.settings.wrap_up_s)

    async def open_page(self, seat: str, adviser: str) -> PagePhone:
        """A password for the page that this adviser opens at the seat. Raises NotPossible."""
        try:
            password = await self.node.telephones.open_page(seat, adviser)
        except AriError as error:
            log.warning("a page cannot be opened", seat=seat, error=str(error))
            raise NotPossible("Asterisk does not answer at this moment: try again in some seconds") from error
        return PagePhone(page_endpoint(seat), password)

    async def answer(self, request: AnyRequest) -> msgspec.Struct:
        """Carry out what the command line or a desk orders. Raises RexianError with the reason when it cannot be done."""
        return await self._orders.answer(request)


async def _serve(settings: Settings) -> None:
    controller = Controller(settings)
    loop = asyncio.get_running_loop()
    for stop in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(stop, lambda: loop.create_task(_die(controller)))
    try:
        await controller.run()
    except* RexianError as errors:
        raise errors.exceptions[0] from None


async def _die(controller: Controller) -> None:
    """The one way to stop: what happened is safe, and not one call is touched. The broker tells that we are gone."""
    await controller.journal.close()
    controller.settings.control_socket.unlink(missing_ok=True)
    os._exit(0)


def serve(settings: Settings) -> None:
    """Run the controller in the foreground until SIGTERM. Raises RexianError when it cannot start."""
    configure_logs()
    uvloop.run(_serve(settings))
