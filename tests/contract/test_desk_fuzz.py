"""The API, asked all that its description allows and much that it does not, by everybody in turn.

schemathesis makes the requests out of the description that docs/desk.openapi.yaml is: each kind of wrong request that it
can think of once, then some by chance, which is the same at every run; and requests that are right are put among them.
Each answer is held against the description: no status, content type or body that it does not tell of, and never a 5xx.
To add a route: put what its path names into THERE_IS, and a body that is right into RIGHT. For a long run:

    HOTLINE_FUZZ_EXAMPLES=500 .venv/bin/python -m pytest tests/contract/test_desk_fuzz.py
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
import schemathesis
from argon2 import PasswordHasher
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy, one_of
from hypothesis.vendor.pretty import RepresentationPrinter
from schemathesis import Case, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from calls.words import ROLES, Role
from cti.desk import contract, passwords
from cti.desk.accounts import Account
from cti.desk.entrance import PASSWORD, SESSION, TOKEN_HEADER, TRIES
from cti.desk.feed import Notice
from cti.desk.floor import NOTICES, SKILLS
from cti.desk.people import ACCOUNTS
from cti.desk.provider import BACK, GO
from cti.settings import REPORTS_PATH
from cti.sms import Doorman, FileWay, Outbox, Reports
from cti.sms.signing import signed
from tests.contract.served_desk import OWN, STARTING, STRANGER, Desk
from tests.contract.test_desk_api import ROUTES
from tests.texting import KEY
from tests.unit.test_followups import PROMISED, PROMISING
from tests.unit.test_forms import CALL, DONE

EXAMPLES = int(os.environ.get("HOTLINE_FUZZ_EXAMPLES", "8"))
"""Requests by chance, of everybody at each route."""

ALWAYS_THE_SAME = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

HELD_AGAINST = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.unsupported_method,
]

EVERYBODY = (*ROLES, STARTING, STRANGER)

SEAT, SOMEBODY, ANOTHER = "1001", "somebody", "another"
THERE_IS = {
    "seat": SEAT,
    "name": SOMEBODY,
    "visit": CALL.visit,
    "adviser": "8001",
    "notice": "a notice",
    "follow_up": "c0.1",
}
"""What paths name."""
NOTICE = Notice(
    notice=THERE_IS["notice"], by="li.na", to=("8001",), everybody=False, text="三点开会", sent_at=CALL.since, read={}
)

RIGHT: dict[tuple[str, str], Any] = {
    ("POST", REPORTS_PATH): {"key": "5d41402abc4b2a76b9719d911017c592", "state": "delivered"},
    ("POST", SESSION): {"name": ANOTHER, "password": OWN},
    ("PUT", PASSWORD): {"old": OWN, "new": "five words of my own"},
    ("POST", ACCOUNTS): {"name": "newcomer", "roles": ["lead"]},
    ("PUT", ACCOUNTS + "/{name}"): {"roles": ["lead"]},
    ("POST", ACCOUNTS + "/{name}/help"): {},
    ("POST", "/api/v1/seats/{seat}/not-ready"): {"reason": "午休"},
    ("POST", "/api/v1/seats/{seat}/transfer"): {"queue": "cards"},
    ("POST", "/api/v1/seats/{seat}/dial"): {"follow_up": "c0.1"},
    ("POST", "/api/v1/seats/{seat}/consult"): {"outside": "市民热线"},
    **{
        ("POST", f"/api/v1/seats/{{seat}}/{how}"): {"from": "1002"}
        for how in ("listen", "whisper", "barge", "take-over")
    },
    ("POST", "/api/v1/seats/{seat}/pull"): {"visit": CALL.visit},
    ("POST", NOTICES): {"text": "三点开会", "adviser": "8001"},
    ("PUT", SKILLS + "/{adviser}"): {"skill": "cards", "level": 5},
    ("PUT", "/api/v1/forms/{visit}"): msgspec.to_builtins(DONE),
    ("POST", "/api/v1/forms/{visit}"): msgspec.to_builtins(DONE),
}
"""What is done, for each route that has a body."""

CONFIG = {
    "generation": {"with-security-parameters": False},
    "checks": {"negative_data_rejection": {"expected-statuses": [400, 401, 403, 405, 409, 413]}},
}
"""Nobody's cookie is made up: whoever asks is signed in, or a stranger. And so is refused whatever is wrong."""

API = schemathesis.openapi.from_dict(contract.document(), config=schemathesis.Config.from_dict(CONFIG))
OPERATIONS: list[Any] = [found.ok() for found in API.get_all_operations() if isinstance(found, Ok)]

SHOWN_THERE = {("POST", SESSION), ("POST", REPORTS_PATH)}
"""Where who asks shows it in the body, and 401 is for what is wrong with that."""
NOT_DONE = {(who, REPORTS_PATH) for who in EVERYBODY if who != STRANGER} | {
    (who, to) for who in EVERYBODY for to in (GO, BACK)
}
NOT_DONE.add(("lead", "/api/v1/seats/{seat}/page"))
"""What nobody may do whose request is not signed; where there is no provider to sign in by; where somebody else sits."""


class Asker:
    """Somebody who asks, from a thread beside the desk's.

    Before each request their account is made what it was, and they sign in anew: a request that signs them out, locks them
    out or gives them another password leaves the next one as it would have been. A stranger is also the SMS gateway.
    """

    def __init__(self, desk: Desk, who: str) -> None:
        self.desk, self.who = desk, who
        self._loop = asyncio.get_running_loop()
        self._before: Account | None = None
        self._password = OWN
        self._addresses = count()
        self._http = requests.Session()
        self._http.trust_env = False
        if who == STRANGER:
            self._http.auth = self._sign

    def ask(self, case: Case[Any]) -> Response:
        """The answer, which is as described."""
        self._http.cookies.clear()
        cookies, headers = asyncio.run_coroutine_threadsafe(self._signed_in(), self._loop).result()
        if case.body == RIGHT["PUT", PASSWORD]:
            case.body = RIGHT["PUT", PASSWORD] | {"old": self._password}
        number = next(self._addresses)
        headers["X-Forwarded-For"] = f"10.0.{number // 250}.{number % 250}"  # nobody has guessed from there yet
        answer = case.call(base_url=self.desk.url, session=self._http, cookies=cookies, headers=headers)
        case.validate_response(answer, checks=HELD_AGAINST)
        return answer

    def close(self) -> None:
        self._http.close()

    async def _signed_in(self) -> tuple[dict[str, str], dict[str, str]]:
        self.desk.house.forms.begin(CALL)
        self.desk.house.notices.keep(NOTICE)
        self.desk.house.follow_ups.wrapped_up(PROMISING, PROMISED)
        if self.who == STRANGER:
            return {}, {}
        if self._before is None or self.desk.doors.accounts.get(self.who) != self._before:
            self._before = await self._restored()
        cookies, csrf = self.desk.signed_in(self.who)
        return cookies, {TOKEN_HEADER: csrf}

    async def _restored(self) -> Account:
        accounts, role = self.desk.doors.accounts, role_of(self.who)
        number = "8001" if role == "adviser" else None
        await accounts.change(self.who, [role], number, disabled=False, by="admin")
        handed = await accounts.help(self.who, second_factor=False, by="admin")
        self._password = handed.password if self.who == STARTING else OWN
        if self.who != STARTING:
            assert await accounts.choose(self.who, handed.password, OWN, "10.0.0.7")
        account = accounts.get(self.who)
        assert account is not None
        return account

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if request.path_url == REPORTS_PATH:
            body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
            request.headers.update(signed(KEY.encode(), body, self.desk.clock))
        return request


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash costs next to nothing; and schemathesis leaves hypothesis's printer as other tests need it."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    monkeypatch.setattr(passwords, "_NOBODYS", hasher.hash("nobody's"))
    monkeypatch.setattr("hypothesis.core.RepresentationPrinter", RepresentationPrinter)


@pytest.mark.parametrize("who", EVERYBODY)
async def test_every_answer_is_as_described_whatever_is_asked(desk: Desk, tmp_path: Path, who: str) -> None:
    for name in (SOMEBODY, ANOTHER):
        await desk.account(name, "lead")
    if who != STRANGER:
        await desk.handed(who, [role_of(who)])
    desk.house.sitting[SEAT] = "8001"
    texts = Outbox(desk, desk.journal, desk.clock, FileWay(tmp_path / "texts"), KEY.encode(), lambda *_: "", "12333")
    desk.house.reported = Reports(Doorman(KEY.encode(), desk.clock), texts).take
    asker = Asker(desk, who)
    try:
        for operation in OPERATIONS:
            answers = await asyncio.to_thread(all_answers, asker, operation)
            told = f"{operation.label} as {who}: {answers}"
            if who in ROUTES[route(operation)]:
                assert not answers.keys().isdisjoint({200, 201, 204}) or (who, operation.path) in NOT_DONE, told
                assert 401 not in answers or route(operation) in SHOWN_THERE, told
            else:
                assert answers.keys() == ({401} if who == STRANGER else {403}), told
    finally:
        asker.close()


def test_no_route_is_left_out() -> None:
    assert {route(operation) for operation in OPERATIONS} == set(ROUTES)


async def test_what_chance_does_not_come_to_is_described_too(desk: Desk) -> None:
    sign_in = API[SESSION]["POST"]
    asker = Asker(desk, STRANGER)
    try:
        long = sign_in.Case(body={"name": "x" * 20_000, "password": "x"}, media_type="application/json")
        assert (await asyncio.to_thread(asker.ask, long)).status_code == 413
        for _ in range(TRIES):
            desk.doors.wrong("10.0.0.1")
        wrong = sign_in.Case(body={"name": "x", "password": "x"}, media_type="application/json")
        assert (await asyncio.to_thread(asker.ask, wrong)).status_code == 429
    finally:
        asker.close()


def all_answers(asker: Asker, operation: Any) -> Counter[int]:
    """The statuses of all that is asked of one route, by its own method; what is not as described raises."""
    answers: Counter[int] = Counter()

    def ask(case: Case[Any]) -> None:
        answer = asker.ask(case)
        if case.method.lower() == operation.method:
            answers[answer.status_code] += 1

    for case in one_of_each_kind(operation):
        ask(case)
    ALWAYS_THE_SAME(given(by_chance(operation))(ask))()
    return answers


def one_of_each_kind(operation: Any) -> Iterator[Case[Any]]:
    """The request that is right, about what there is; then wrong in each way that the description leaves."""
    body = RIGHT.get((operation.method.upper(), operation.path), schemathesis.core.NOT_SET)
    yield operation.Case(path_parameters=there_is(operation), body=body, media_type="application/json")
    yield from API.iter_coverage_cases(
        operation, generation_modes=list(GenerationMode), generation_config=API.config.generation
    )


def by_chance(operation: Any) -> SearchStrategy[Case[Any]]:
    """Right and wrong ones, about what there is and what there is not."""
    modes = list(GenerationMode) if operation.body else [GenerationMode.POSITIVE]
    kinds: list[SearchStrategy[Case[Any]]] = [
        operation.as_strategy(generation_mode=mode, path_parameters=there)
        for mode in modes
        for there in (there_is(operation), None)
    ]
    return one_of(kinds)


def there_is(operation: Any) -> dict[str, str]:
    return {parameter.name: THERE_IS[parameter.name] for parameter in operation.path_parameters}


def route(operation: Any) -> tuple[str, str]:
    """As ROUTES has it."""
    return operation.method.upper(), re.sub("{.*?}", "{name}", operation.path)


def role_of(who: str) -> Role:
    return next((role for role in ROLES if role == who), "lead")
