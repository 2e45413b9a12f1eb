"""A shared record that is not reached: a hanging network, lost answers, a restart. Told in time, and made good."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from console.adapters.journal.driver import PostgresDriverStore
from console.adapters.journal.observer import PostgresObserverStore
from console.adapters.journal.schema import install
from console.domain.shared import Branch
from console.errors import JournalError, StoreLost
from console.sandbox.cluster import Cluster
from console.secrets import Secret
from tests.adapters.journal.conftest import PASSWORD, RUN, Store, chain, driver, reached
from tests.adapters.journal.proxy import Proxy, proxy_to

CALL_S = 0.25
IN_TIME_S = 3.0
"""Far more than a call may take here, and far less than the system's own time-outs."""


@pytest.fixture
async def proxy(store: Store) -> AsyncIterator[Proxy]:
    async with proxy_to(store.server.socket) as made:
        yield made


@pytest.fixture
async def far(store: Store, proxy: Proxy) -> PostgresDriverStore:
    """A driver whose line to the store can be cut, in the first epoch of the run, with one line sent."""
    made = store.driver(url=proxy.url("alice", PASSWORD, store.database), seconds=CALL_S)
    await made.create(RUN, "{}")
    await made.claim(RUN, driver(), expected=0)
    await made.append(RUN, 1, 1, chain(1))
    return made


async def test_a_hanging_network_is_a_loss_in_time_and_made_good(
    store: Store, proxy: Proxy, far: PostgresDriverStore
) -> None:
    lines = chain(3)
    proxy.cut()
    begun = time.monotonic()
    with pytest.raises(StoreLost, match=r"did not answer within 0\.25 s"):
        await far.append(RUN, 1, 2, lines[1:2])
    with pytest.raises(StoreLost, match=r"did not answer within 0\.25 s"):
        await far.find(RUN)  # connecting hangs as well
    assert time.monotonic() - begun < IN_TIME_S
    proxy.mend()
    await far.append(RUN, 1, 2, lines[1:])
    assert await store.observer().lines(RUN, 0, 10) == lines


async def test_callers_that_queue_behind_a_hanging_one_are_told_with_it(proxy: Proxy, far: PostgresDriverStore) -> None:
    proxy.cut()
    begun = time.monotonic()
    outcomes = await asyncio.gather(*(far.find(RUN) for _ in range(10)), return_exceptions=True)
    assert [type(each) for each in outcomes] == [StoreLost] * 10
    assert time.monotonic() - begun < IN_TIME_S


@pytest.mark.parametrize("call", ["append", "claim", "create", "hold", "attach"])
async def test_a_call_whose_answer_was_lost_may_be_repeated(
    store: Store, proxy: Proxy, far: PostgresDriverStore, call: str
) -> None:
    lines = chain(2)
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "append": lambda: far.append(RUN, 1, 2, lines[1:]),
        "claim": lambda: far.claim(RUN, driver(pid=99), expected=1),
        "create": lambda: far.create("another", "{}"),
        "hold": lambda: far.hold(RUN, 1),
        "attach": lambda: far.attach(RUN, Branch(1, "alice@laptop", 2, (lines[1],))),
    }
    proxy.swallows_answers = True
    with pytest.raises(StoreLost):
        await calls[call]()
    proxy.mend()
    await calls[call]()
    found = await far.find(RUN)
    assert found is not None
    assert found.events == (2 if call == "append" else 1)
    assert found.lease is not None
    assert found.lease.epoch == (2 if call == "claim" else 1)
    if call in ("append", "claim", "hold"):
        assert found.lease.held
    assert len(await far.branches(RUN)) == (1 if call == "attach" else 0)


async def test_an_observer_notices_that_the_network_hangs_though_nothing_is_asked(
    store: Store, proxy: Proxy, far: PostgresDriverStore
) -> None:
    eve = store.observer(url=proxy.url("eve", PASSWORD, store.database), seconds=CALL_S)
    await eve.listen(RUN)
    await _silent(eve)
    proxy.cut()
    begun = time.monotonic()
    with pytest.raises(StoreLost, match=r"did not answer within 0\.25 s"):
        await eve.wait(60)
    assert time.monotonic() - begun < IN_TIME_S
    proxy.mend()
    await eve.listen(RUN)
    await far.append(RUN, 1, 2, chain(2)[1:])
    news = await eve.wait(5)
    while not news.lines:
        news = await eve.wait(5)  # that the driver's session is another one is told first
    assert news.lines == ((2, chain(2)[1]),)


async def _silent(observer: PostgresObserverStore) -> None:
    """A silent line that answers is no loss."""
    assert (await observer.wait(2.5 * CALL_S)).lines == ()


async def test_a_call_that_is_cancelled_leaves_the_store_usable(proxy: Proxy, far: PostgresDriverStore) -> None:
    for _ in range(3):
        call = asyncio.create_task(far.append(RUN, 1, 2, chain(2)[1:]))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    await far.append(RUN, 1, 2, chain(2)[1:])
    assert await far.lines(RUN, 0) == chain(2)


async def test_a_store_that_is_closed_meanwhile_leaves_nobody_waiting(
    store: Store, proxy: Proxy, far: PostgresDriverStore
) -> None:
    assert await far.wait(RUN, 0)
    proxy.cut()
    begun = time.monotonic()
    calls = [asyncio.create_task(each) for each in (far.wait(RUN, 60), far.find(RUN))]
    await asyncio.sleep(0)
    await far.close()
    assert [type(each) for each in await asyncio.gather(*calls, return_exceptions=True)] == [StoreLost] * 2
    assert time.monotonic() - begun < IN_TIME_S


async def test_no_password_is_in_what_a_loss_says(store: Store) -> None:
    wrong = Secret(store.url("eve").reveal().replace(PASSWORD, "another-secret"), "JOURNAL_URL")
    with pytest.raises(StoreLost) as refused:
        await store.observer(url=wrong).runs()
    told = f"{refused.value.message} {refused.value.remedy} {refused.value.__cause__} {refused.value.__context__}"
    assert "another-secret" not in told
    assert "password" in refused.value.message, "what is wrong is said"


async def test_a_store_that_was_never_set_up_says_so(own_store: Store) -> None:
    async with own_store.admin.session("tests") as session:
        await session.execute("DROP SCHEMA release_console CASCADE")
    with pytest.raises(JournalError, match="is not set up") as refused:
        await own_store.observer().runs()
    assert "release-console journal init" in refused.value.remedy


async def test_a_server_that_restarts_is_lost_and_found_again(own_server: Cluster) -> None:
    url = reached(own_server)
    await install(url, tls="disable")
    alice, eve = PostgresDriverStore(url, tls="disable"), PostgresObserverStore(url, tls="disable", person="eve@desk")
    try:
        lines = chain(3)
        await alice.create(RUN, "{}")
        await alice.claim(RUN, driver(), expected=0)
        await alice.append(RUN, 1, 1, lines[:2])
        await eve.listen(RUN)
        waiting = asyncio.create_task(eve.wait(60))
        await own_server.stop()
        with pytest.raises(StoreLost, match="the connection broke off"):
            await waiting
        for call in (alice.append(RUN, 1, 3, lines[2:]), alice.find(RUN), eve.listen(RUN), eve.wait(5)):
            with pytest.raises(StoreLost):
                await call
        await own_server.start()
        await alice.append(RUN, 1, 3, lines[2:])
        await eve.listen(RUN)
        assert await eve.lines(RUN, 0, 10) == lines
        lease = await eve.lease(RUN)
        assert lease is not None
        assert lease.held
    finally:
        await alice.close()
        await eve.close()
