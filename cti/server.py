"""Where the controller is put together: plain constructor calls, no container, no globals. `serve` is the process.

Crash-only: to stop is to die after the journal is safe. Calls stay up in Asterisk, and the next controller finds them; so
an upgrade, a failover and a kill are one mechanism, exercised at every restart.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
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
from cti.asterisk.node import Node
from cti.blocklist import Blocks
from cti.breaker import Breaker
from cti.bus import Bus, QueueNow, SeatNow
from cti.bus.messages import State
from cti.business import HttpBusiness
from cti.business.absent import NoBusiness
from cti.business.http import Asking
from cti.control import (
    AddAccount,
    AnyRequest,
    AskAudit,
    AskStatus,
    BlockNumber,
    ChangeAccount,
    ControlServer,
    Follow,
    HelpAccount,
    LiftBlock,
    ListAccounts,
    ListBlocks,
    ListMessages,
    MessageAnswered,
    Reload,
    ReviewBlock,
    SeatLogOut,
    SeatMoreTime,
    SeatNotReady,
    SeatReady,
    SeatRedial,
    SeatVerify,
)
from cti.desk import Accounts, Audit, Doors, Feed, Sessions, serve_web
from cti.desk.accounts import Everybody, Handed
from cti.floor import Floor
from cti.hotline import Hotline, load_hotline, vocabulary
from cti.identification import Tries
from cti.logs import configure_logs
from cti.offices import OfficeBook
from cti.recorder import Recorder
from cti.settings import TEXTS_FILE, Settings
from cti.sms import Doorman, FileWay, GatewayWay, NoTexts, Outbox, Reports, Way
from cti.staffing import Staffing
from cti.status import Done, OpenMessage, OpenMessages, Status, read_status
from cti.store import Journal, Shipper, migrate
from cti.watch import Watch
from dialplan.render import APP
from ivr.hours import Hours
from ivr.texts import Said
from prompts import EspeakVoice, OwnWords, Sounds
from queues import LogOut, MoreTime, SitDown, StandUp
from recordings import place

log = structlog.get_logger(__name__)

KEPT_WITHIN_S = 3.0
"""How long a command's answer waits for the journal, which answers within milliseconds unless its disk is full."""

STATES_EVERY_S = 0.1
"""Forty seats that move at once are one look at the floor, not forty."""

MIGRATION_RETRY_S = 1.0
CALENDAR_EVERY_S = 3600.0
PLACES = range(1, 31)
"""Places in a queue that are said often."""


class Controller:
    """The one active brain."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SystemClock()
        self.began = self.clock.now()
        keys = secret_file.load_or_create(settings.secrets_path, settings.seats)
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
        self.feed = Feed()
        self._moved = asyncio.Event()
        self._taken = asyncio.Event()
        self._seats_told: dict[str, tuple[object, ...]] = {}
        self.floor = Floor(self.clock, self.watch, self.journal, settings.seats, settings.wrap_up_s, self._moved.set)
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
        self.business: HttpBusiness | None = None
        """The social-security system; None: there is none."""
        if address := settings.business_address:
            asking = Asking(address, keys.business_token, settings.business_timeout_s)
            self.business = HttpBusiness(asking, Breaker(self.clock))
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
        )
        audit = Audit(self.watch, self.journal, self.clock, keys.audit)
        accounts = Accounts(self.journal, self.clock, audit, settings.first_admin_path)
        self.doors = Doors(accounts, Sessions(self.journal, self.clock, accounts), audit, self.clock)
        self.differences: list[str] = []
        """Between the Asterisk that runs and the one that its client was made from."""
        self.calendar_troubles: dict[str, str | None] = {}
        alarms = Alarms(self.watch, self.journal)
        self.staffing = Staffing(settings, self.clock, self.floor, alarms, lambda: self.hotline)
        self._take(self.hotline, sounds)

    def _take(self, hotline: Hotline, sounds: Sounds) -> None:
        """Use these hotline files and prompts from now on; calls that are up finish on theirs."""
        self.hotline = hotline
        self.node.take(hotline.lines, sounds)
        self.floor.load(hotline.advisers, hotline.queues)
        versions = {number: line.version for number, line in hotline.lines.items()}
        self.watch.record(LinesLoaded(versions=versions))
        self._taken.set()
        self.offices.look()

    def _read_anew(self) -> tuple[Hotline, Sounds]:
        """The files as they are now, with all their words rendered. Blocks; what is in use is not touched."""
        return load_hotline(self.settings, self.own_words), Sounds(self.settings.prompts_dir, self.own_words)

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
                    self._tell_states(),
                    self._compare_api(),
                    self._watch_calendar(),
                    self.node.messages.watch(),
                    self.node.blocklist.watch(),
                    self.staffing.run(self.node.connected),
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

    async def _watch_calendar(self) -> None:
        """The calendar of holidays ends some day: say so while there is time."""
        alarms = Alarms(self.watch, self.journal)
        while True:
            for line in self.hotline.lines.values():
                trouble = line.hours.alarm(self.clock.utc()) if isinstance(line.hours, Hours) else None
                self.calendar_troubles[line.number] = trouble
                alarms.tell("calendar_ends", line.number, trouble)
            await asyncio.sleep(CALENDAR_EVERY_S)

    async def _watch_business(self) -> None:
        """Know whether the social-security system is there, before a citizen asks."""
        if self.business is not None:
            await self.business.watch()

    async def _serve_desk(self) -> None:
        """The API for ever; whoever has no account yet finds the first one made."""
        await self.doors.accounts.first()
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

    async def _tell_states(self) -> None:
        """Tell the bus how seats and queues stand, for ever: at once when something moved, then for all in one go.

        Not before this controller has taken over: until then it does not know who sits where.
        """
        await self.node.connected.wait()
        while True:
            self._moved.clear()
            self._publish_states()
            await asyncio.sleep(STATES_EVERY_S)
            await self._moved.wait()

    def _publish_states(self) -> None:
        now, utc = self.clock.now(), self.clock.utc()
        for seat in self.floor.engine.seats():
            moved = (seat.state, seat.adviser, seat.since)
            if self._seats_told.get(seat.number) == moved:
                continue
            self._seats_told[seat.number] = moved
            since = utc - timedelta(seconds=now - max(self.began, seat.since))
            told = SeatNow(state=seat.state, adviser=seat.adviser, since=since.replace(microsecond=0))
            self._publish(f"seat/{seat.number}", told)
        for name in self.hotline.queues:
            everybody = self.floor.engine.waiting(name)
            waiting = [one for one in everybody if not one.away]
            stands = QueueNow(
                waiting=len(waiting),
                longest_wait_ms=max((round((now - one.since) * 1000) for one in waiting), default=0),
                callbacks=len(everybody) - len(waiting),
                updated_at=utc,
            )
            self._publish(f"queue/{name}", stands)

    def _publish(self, suffix: str, value: State) -> None:
        self.bus.state(suffix, value)
        self.feed.state(suffix, value)

    def status(self) -> Status:
        """How the hotline is, for people and scripts."""
        return read_status(self)

    def reported(self, headers: Mapping[str, str], body: bytes) -> int:
        """Take a delivery report of the SMS gateway; an HTTP status."""
        return self.reports.take(headers, body)

    def sits(self, seat: str) -> str | None:
        """The adviser's number of who sits there. Raises NotPossible when there is no such seat."""
        return self.floor.engine.seat(seat).adviser

    async def answer(self, request: AnyRequest) -> msgspec.Struct:
        """One command from the control socket. Raises RexianError with the reason when it cannot be carried out."""
        match request:
            case AskStatus():
                return self.status()
            case SeatReady() | SeatNotReady() | SeatMoreTime() | SeatRedial() | SeatVerify() | SeatLogOut():
                self._change_seat(request)
            case ListMessages() | ListBlocks():
                messages = isinstance(request, ListMessages)
                return self._open_messages() if messages else Blocks(self.node.blocklist.entries())
            case MessageAnswered(message=message, adviser=adviser):
                self.node.messages.answered(message, adviser)
            case BlockNumber() | ReviewBlock() | LiftBlock():
                self._change_blocks(request)
            case ListAccounts():
                return Everybody(self.doors.accounts.all())
            case AddAccount() | HelpAccount():
                return await self._hand(request)
            case ChangeAccount(name=name, roles=roles, adviser=adviser, disabled=disabled):
                await self.doors.accounts.change(name, roles, adviser, disabled=disabled, by=None)
            case AskAudit():
                return self.doors.audit.head
            case Reload():
                async with self._reading:  # or the older of two readings might be taken last
                    self._take(*await asyncio.to_thread(self._read_anew))
            case Follow():
                raise NotPossible("a call is followed on a connection of its own")
        with suppress(TimeoutError):  # it is done; that it cannot be kept at this moment is told by `status`
            async with asyncio.timeout(KEPT_WITHIN_S):
                await self.journal.flush()
        return Done(self._told(request))

    async def _hand(self, request: AddAccount | HelpAccount) -> Handed:
        accounts = self.doors.accounts
        match request:
            case AddAccount(name=name, roles=roles, adviser=adviser):
                return await accounts.add(name, roles, adviser, by=None)
            case HelpAccount(name=name, second_factor=second_factor):
                return await accounts.help(name, second_factor=second_factor, by=None)

    def _change_seat(
        self, request: SeatReady | SeatNotReady | SeatMoreTime | SeatRedial | SeatVerify | SeatLogOut
    ) -> None:
        match request:
            case SeatReady(seat=seat, adviser=adviser):
                adviser = adviser or self.floor.engine.seat(seat).adviser
                if adviser is None:
                    raise NotPossible(f"nobody sits at seat {seat}: say who does, with --adviser NUMBER")
                self.floor.take(SitDown(seat, adviser))
            case SeatNotReady(seat=seat, reason=reason):
                self.floor.take(StandUp(seat, reason))
            case SeatMoreTime(seat=seat):
                self.floor.take(MoreTime(seat))
            case SeatRedial(seat=seat):
                self.node.redial(seat)
            case SeatVerify(seat=seat):
                self.node.verify(seat)
            case SeatLogOut(seat=seat):
                self.floor.take(LogOut(seat))

    def _change_blocks(self, request: BlockNumber | ReviewBlock | LiftBlock) -> None:
        blocks = self.node.blocklist
        match request:
            case BlockNumber(number=number, days=days, reason=reason, by=by):
                blocks.add(number, days, reason, by)
            case ReviewBlock(number=number, days=days, by=by):
                blocks.review(number, days, by)
            case LiftBlock(number=number, by=by):
                blocks.lift(number, by)

    def _open_messages(self) -> OpenMessages:
        folder, zone = self.settings.recordings_dir, self.settings.zone
        return OpenMessages(
            [
                OpenMessage(
                    left.message,
                    left.line,
                    left.about,
                    left.calling_number,
                    left.due_at,
                    left.length_ms,
                    left.purpose,
                    left.adviser,
                    str(place(folder, left.begun_at.astimezone(zone).date(), left.message)),
                )
                for left in self.node.messages.open()
            ]
        )

    def _told(self, request: AnyRequest) -> str:
        if isinstance(request, SeatReady | SeatNotReady | SeatMoreTime | SeatRedial | SeatVerify | SeatLogOut):
            seat = self.floor.engine.seat(request.seat)
            return f"{seat.number} {seat.state}" + (f" {seat.adviser}" if seat.adviser else "")
        if isinstance(request, MessageAnswered):
            return f"{request.message} answered {request.adviser}"
        if isinstance(request, BlockNumber | ReviewBlock | LiftBlock):
            return self.node.blocklist.told(request.number)
        if isinstance(request, ChangeAccount):
            return f"{request.name} {' '.join(request.roles)}" + (" disabled" if request.disabled else "")
        return " ".join(f"{number}@{line.version}" for number, line in self.hotline.lines.items())


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
