import threading

import pytest

from mmdmt.labels.ordered_work import OrderedWork


@pytest.mark.parametrize('threads', [0, 1, 4])
def test_results_are_taken_in_the_order_of_the_work(threads):
    taken, second_is_done = [], threading.Event()

    def work(number):
        if number == 0 and threads > 1:
            assert second_is_done.wait(10)
        if number == 1:
            second_is_done.set()
        return number * 10

    ordered = OrderedWork(work, taken.append, threads)
    for number in range(20):
        ordered.submit(number)
    ordered.finish()
    assert taken == [number * 10 for number in range(20)]


def test_no_more_is_under_way_than_twice_the_threads():
    gate, begun, taken = threading.Event(), [], []

    def work(number):
        begun.append(number)
        gate.wait(10)
        return number

    ordered = OrderedWork(work, taken.append, 2)
    for number in range(4):
        ordered.submit(number)
    submitting = threading.Thread(target=ordered.submit, args=(4,))
    submitting.start()
    submitting.join(0.05)
    assert submitting.is_alive()
    assert len(begun) <= 2
    gate.set()
    submitting.join(10)
    ordered.finish()
    assert taken == [0, 1, 2, 3, 4]


@pytest.mark.parametrize('threads', [0, 2])
def test_an_error_of_the_work_reaches_who_hands_it_over(threads):
    def work(number):
        if number == 3:
            raise ValueError('image 3')
        return number

    taken = []
    ordered = OrderedWork(work, taken.append, threads)

    def all_of_it():
        for number in range(10):
            ordered.submit(number)
        ordered.finish()

    with pytest.raises(ValueError, match='image 3'):
        all_of_it()
    ordered.abandon()
    assert taken == [0, 1, 2]


def test_an_error_of_the_taker_reaches_who_hands_it_over():
    def full(number):
        raise OSError('no space')

    ordered = OrderedWork(lambda number: number, full, 1)
    ordered.submit(1)
    with pytest.raises(OSError, match='no space'):
        ordered.finish()


def test_after_an_error_of_the_taker_nothing_more_is_taken():
    taken = []

    def full(number):
        taken.append(number)
        if number == 2:
            raise OSError('no space')

    ordered = OrderedWork(lambda number: number, full, 4)

    def all_of_it():
        for number in range(6):
            ordered.submit(number)
        ordered.finish()

    with pytest.raises(OSError, match='no space'):
        all_of_it()
    ordered.abandon()
    assert taken == [0, 1, 2]


def test_who_waits_for_room_is_woken_by_an_error():
    gate = threading.Event()

    def full(number):
        assert gate.wait(10)
        raise OSError('no space')

    ordered = OrderedWork(lambda number: number, full, 1)
    ordered.submit(0)
    ordered.submit(1)
    threading.Timer(0.05, gate.set).start()
    with pytest.raises(OSError, match='no space'):
        ordered.submit(2)
    with pytest.raises(OSError, match='no space'):
        ordered.submit(3)
    ordered.abandon()


def test_results_are_taken_in_order_and_once_by_many_threads():
    taken = []
    ordered = OrderedWork(lambda number: number, taken.append, 16)
    for number in range(5000):
        ordered.submit(number)
    ordered.finish()
    assert taken == list(range(5000))


def test_who_hands_work_over_does_not_wait_for_the_taker():
    gate, taken = threading.Event(), []

    def slow(number):
        assert gate.wait(10)
        taken.append((number, threading.current_thread()))

    ordered = OrderedWork(lambda number: number, slow, 2)
    for number in range(4):
        ordered.submit(number)
    assert not taken
    gate.set()
    ordered.finish()
    assert [number for number, _ in taken] == [0, 1, 2, 3]
    assert {thread for _, thread in taken}.isdisjoint({threading.current_thread()})


def test_abandoned_work_leaves_no_thread():
    before = threading.active_count()
    taken = []
    ordered = OrderedWork(lambda number: number, taken.append, 3)
    for number in range(6):
        ordered.submit(number)
    ordered.abandon()
    assert threading.active_count() == before
    assert taken == list(range(len(taken)))  # no gap: what was dropped was the last
