# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0

import threading

from hypothesis import given
from hypothesis import strategies as st

from hmp_ros.mailbox import Mailbox


@given(st.lists(st.integers()), st.none() | st.integers(1, 5))
def test_the_newest_items_are_kept_in_order_and_the_rest_counted(items: list[int], capacity: int | None) -> None:
    mailbox: Mailbox[int] = Mailbox(capacity)
    for item in items:
        mailbox.put(item)
    kept = items if capacity is None else items[-capacity:]
    assert mailbox.dropped == len(items) - len(kept)
    assert mailbox.take(timeout_s=0.0) == kept
    assert mailbox.take(timeout_s=0.0) == []


@given(st.lists(st.booleans()))
def test_whatever_the_order_of_puts_and_takes_nothing_is_lost_uncounted(puts: list[bool]) -> None:
    mailbox: Mailbox[int] = Mailbox()
    put = taken = 0
    for is_put in puts:
        if is_put:
            mailbox.put(put)
            put += 1
        else:
            taken += len(mailbox.take(timeout_s=0.0))
    taken += len(mailbox.take(timeout_s=0.0))
    assert taken + mailbox.dropped == put


def test_a_waiting_worker_wakes_for_an_item_and_for_the_end() -> None:
    mailbox: Mailbox[str] = Mailbox()
    got: list[list[str]] = []

    def work() -> None:
        while not mailbox.closed:
            got.append(mailbox.take())

    thread = threading.Thread(target=work)
    thread.start()
    mailbox.put("image")
    while not got:
        thread.join(0.001)
    mailbox.close()
    thread.join(5.0)
    assert not thread.is_alive()
    assert got == [["image"], []]


def test_after_the_end_nothing_is_taken_in() -> None:
    mailbox: Mailbox[int] = Mailbox()
    mailbox.close()
    mailbox.put(1)
    assert mailbox.take() == []
    assert mailbox.dropped == 0


def test_it_can_be_opened_again_and_is_empty_then() -> None:
    mailbox: Mailbox[int] = Mailbox()
    mailbox.put(1)
    mailbox.put(2)
    mailbox.close()
    mailbox.open()
    mailbox.put(3)
    assert mailbox.take() == [3]
    assert mailbox.dropped == 1
