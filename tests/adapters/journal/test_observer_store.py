"""An observer's store on a real PostgreSQL: pushed lines, catch-up, the tail, and nobody believed but the driver."""

import asyncio

import pytest

from console.adapters.journal.driver import PostgresDriverStore
from console.adapters.journal.observer import PostgresObserverStore
from console.domain.hosting import LogEntry
from console.errors import JournalError, StoreLost
from console.ports import News
from tests.adapters.journal.conftest import RUN, SINCE, Store, chain, driver


@pytest.fixture
async def eve(store: Store, alice: PostgresDriverStore) -> PostgresObserverStore:
    """An observer who listens to the run."""
    made = store.observer()
    await made.listen(RUN)
    return made


async def news_of(observer: PostgresObserverStore, amount: int) -> list[tuple[int, bytes]]:
    """The next pushed lines, as many as that; nothing else may be told meanwhile."""
    lines: list[tuple[int, bytes]] = []
    while len(lines) < amount:
        news = await observer.wait(5)
        assert news.lines, f"{news} after {len(lines)} lines"
        lines += news.lines
    return lines


async def test_lines_are_pushed_as_they_are_appended(alice: PostgresDriverStore, eve: PostgresObserverStore) -> None:
    lines = chain(4)
    await alice.append(RUN, 1, 1, lines[:1])
    await alice.append(RUN, 1, 2, lines[1:])
    assert await news_of(eve, 4) == list(enumerate(lines, 1))
    assert await eve.wait(0) == News()
    await alice.append(RUN, 1, 2, lines[1:])
    assert await eve.wait(0.05) == News(), "a repeated append is no news"


async def test_what_does_not_fit_a_notification_is_to_be_read(
    alice: PostgresDriverStore, eve: PostgresObserverStore
) -> None:
    long = chain(1, text="z" * 9_000)
    await alice.append(RUN, 1, 1, long)
    assert await eve.wait(5) == News(more=True)
    assert await eve.lines(RUN, 0, 10) == long
    just = chain(1, text="w" * (7_899 - len(chain(1, text="")[0])), prev="0" * 64)
    assert len(just[0]) == 7_899
    many = chain(200)
    bob = await _second_run(alice, "many", many)
    await eve.listen("many")
    await alice.append("many", bob, 1, many)
    assert await eve.wait(5) == News(more=True), "many lines at once are not pushed one by one"
    assert await eve.lines("many", 50, 100) == many[50:150]


async def test_the_longest_line_that_fits_is_pushed(alice: PostgresDriverStore, eve: PostgresObserverStore) -> None:
    empty = len(chain(1, text="")[0])
    fits, does_not = chain(1, text="w" * (7_899 - empty)), chain(1, text="w" * (7_900 - empty))
    assert [len(fits[0]), len(does_not[0])] == [7_899, 7_900]
    await alice.append(RUN, 1, 1, fits)
    assert await eve.wait(5) == News(((1, fits[0]),))
    await _second_run(alice, "other", [])
    await eve.listen("other")
    await alice.append("other", 1, 1, does_not)
    assert await eve.wait(5) == News(more=True)


async def test_nobody_but_the_driver_is_believed(
    store: Store, alice: PostgresDriverStore, eve: PostgresObserverStore
) -> None:
    forged, honest = chain(1, text="forged"), chain(1)
    (row,) = await store.as_somebody("eve").fetch(
        "SELECT channel FROM release_console.runs WHERE run = %(run)s", {"run": RUN}
    )
    async with store.as_somebody("mallory").session("tests") as session:
        payload = "l1 " + forged[0].decode()
        await session.fetch(
            "SELECT pg_notify(%(channel)s, %(payload)s)", {"channel": row["channel"], "payload": payload}
        )
        assert await eve.wait(5) == News(more=True)
        assert await eve.lines(RUN, 0, 10) == []
    await alice.append(RUN, 1, 1, honest)
    assert await eve.wait(5) == News(((1, honest[0]),))


async def test_who_may_not_read_a_run_cannot_listen_to_it(store: Store, alice: PostgresDriverStore) -> None:
    mallory = store.observer("mallory")
    with pytest.raises(JournalError, match="does not let mallory in as release_console_observer") as refused:
        await mallory.listen(RUN)
    assert refused.value.remedy == 'An administrator of the store runs: GRANT release_console_observer TO "mallory";'


async def test_a_take_over_is_told_and_its_lines_are_pushed(
    store: Store, alice: PostgresDriverStore, eve: PostgresObserverStore
) -> None:
    lines = chain(2)
    await alice.append(RUN, 1, 1, lines[:1])
    assert await news_of(eve, 1) == [(1, lines[0])]
    bob = store.driver("bob")
    await bob.claim(RUN, driver("bob@desk"), expected=1)
    await bob.append(RUN, 2, 2, lines[1:])
    heard = News()
    while not heard.lines:
        news = await eve.wait(5)
        heard = News(news.lines, driver=heard.driver or news.driver)
        assert not news.more
    assert heard == News(((2, lines[1]),), driver=True)
    lease = await eve.lease(RUN)
    assert lease is not None
    assert (lease.epoch, lease.actor, lease.held) == (2, "bob@desk", True)


async def test_a_driver_who_connected_anew_is_believed(
    store: Store, alice: PostgresDriverStore, eve: PostgresObserverStore
) -> None:
    lines = chain(1)
    await alice._link.close()
    await alice.append(RUN, 1, 1, lines)
    heard = await eve.wait(5)
    while not heard.lines:
        heard = await eve.wait(5)
    assert heard.lines == ((1, lines[0]),)


async def test_an_observer_whose_session_ends_is_told_and_catches_up(
    store: Store, alice: PostgresDriverStore, eve: PostgresObserverStore
) -> None:
    waiting = asyncio.create_task(eve.wait(30))
    await store.admin.fetch(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE 'rc/watch/%'"
    )
    with pytest.raises(StoreLost, match="the connection broke off"):
        await waiting
    lines = chain(2)
    await alice.append(RUN, 1, 1, lines[:1])
    with pytest.raises(StoreLost):
        await eve.wait(5)
    assert await eve.lines(RUN, 0, 10) == lines[:1]
    with pytest.raises(StoreLost):
        await eve.wait(5)
    await eve.listen(RUN)
    await alice.append(RUN, 1, 2, lines[1:])
    assert await news_of(eve, 1) == [(2, lines[1])]


async def test_nothing_is_told_before_anybody_listens(store: Store, alice: PostgresDriverStore) -> None:
    eve = store.observer()
    with pytest.raises(StoreLost):
        await eve.wait(5)
    with pytest.raises(JournalError, match="not in the shared record"):
        await eve.listen("another")
    assert [each.run for each in await eve.runs()] == [RUN]
    assert await eve.plan(RUN) == '{"name": "plan"}'


async def test_news_is_kept_while_nobody_waits_and_when_a_wait_is_cancelled(
    alice: PostgresDriverStore, eve: PostgresObserverStore
) -> None:
    lines = chain(2)
    waiting = asyncio.create_task(eve.wait(30))
    await alice.append(RUN, 1, 1, lines[:1])
    assert await waiting == News(((1, lines[0]),))
    cancelled = asyncio.create_task(eve.wait(30))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    await alice.append(RUN, 1, 2, lines[1:])
    assert await eve.lines(RUN, 1, 1) == lines[1:]
    assert await eve.wait(5) == News(((2, lines[1]),))


def entry(number: int, *, text: str = "") -> LogEntry:
    return LogEntry(f"log-{number}", SINCE, "srv", "app", "info", "i1", text or f"line {number} \x1b ·", {"n": "1"})


async def test_the_tail_is_told_and_read_from_a_place(
    store: Store, alice: PostgresDriverStore, eve: PostgresObserverStore
) -> None:
    entries = [entry(number) for number in range(1, 1_201)]
    assert await eve.tail(RUN, 0) == (0, ())
    await alice.add_tail(RUN, 1, entries[:1_000])
    assert await eve.wait(5) == News(tail=True)
    place, read = await eve.tail(RUN, 0)
    assert (place, list(read)) == (1_000, entries[:1_000])
    await alice.add_tail(RUN, 1, entries[1_000:])
    assert await eve.tail(RUN, place) == (1_200, tuple(entries[1_000:]))
    await alice.add_tail(RUN, 7, entries)
    await store.driver("bob").add_tail(RUN, 1, entries)
    assert await eve.tail(RUN, 1_200) == (1_200, ())
    await alice._link.close()
    await alice.add_tail(RUN, 1, entries[:1])
    assert (await eve.tail(RUN, 1_200))[0] == 1_201, "a driver who connected anew holds the lease again first"
    await store.driver("bob").claim(RUN, driver("bob@desk"), expected=1)
    await alice._link.close()
    await alice.add_tail(RUN, 1, entries)
    assert (await eve.tail(RUN, 1_201)) == (1_201, ())


async def test_the_tail_is_bounded_by_lines_and_by_bytes(
    store: Store, alice: PostgresDriverStore, eve: PostgresObserverStore
) -> None:
    few = entry(0, text="\ud800 a lone surrogate")
    await alice.add_tail(RUN, 1, [few])
    assert (await eve.tail(RUN, 0))[1] == (few,)
    await alice.add_tail(RUN, 1, [entry(number) for number in range(25_000)])
    place, read = await eve.tail(RUN, 0)
    assert place == 25_001
    assert 20_000 <= len(read) < 20_500
    assert read[-1] == entry(24_999)
    await alice.add_tail(RUN, 1, [entry(number, text="b" * 100_000) for number in range(220)])
    (kept,) = await store.admin.fetch("SELECT sum(octet_length(body))::bigint AS bytes FROM release_console.tail")
    assert 15_000_000 < int(str(kept["bytes"])) < 17_500_000


async def test_the_driver_sees_who_watches(
    store: Store, alice: PostgresDriverStore, eve: PostgresObserverStore
) -> None:
    assert [(each.login, each.person) for each in await alice.observers(RUN)] == [("eve", "eve@desk")]
    bob = store.observer("bob", person="bob@a-machine-with-a-name-that-does-not-end-before-it-is-cut")
    await bob.listen(RUN)
    first, second = await alice.observers(RUN)
    assert (second.login, second.person[:9]) == ("bob", "bob@a-mac")
    assert (await alice.observers(RUN))[0] == first, "since when does not change from look to look"
    assert await alice.observers(RUN[:-1]) == ()
    await eve.close()
    async with asyncio.timeout(5):
        while len(await alice.observers(RUN)) == 2:
            continue
    assert [each.login for each in await alice.observers(RUN)] == ["bob"]


async def _second_run(driver_store: PostgresDriverStore, run: str, lines: list[bytes]) -> int:
    await driver_store.create(run, "{}")
    return await driver_store.claim(run, driver(), expected=0)
