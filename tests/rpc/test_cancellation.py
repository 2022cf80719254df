"""Interrupts: errors thrown into tasks without a cancellation left behind."""

from __future__ import annotations

import asyncio

import pytest

from textile_aio._rpc.cancellation import Interrupt, reraise


async def inside(interrupt: Interrupt, entered: asyncio.Event | None = None) -> None:
    with interrupt:
        if entered is not None:
            entered.set()
        await asyncio.Event().wait()


async def test_every_task_inside_gets_the_error_and_no_cancellation_stays() -> None:
    interrupt, failure = Interrupt(), ValueError("stop")
    tasks = [asyncio.create_task(inside(interrupt)) for _ in range(3)]
    await asyncio.sleep(0)
    interrupt.cancel(failure)
    interrupt.cancel(KeyError("later"))
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(result is failure for result in results)
    assert [task.cancelling() for task in tasks] == [0, 0, 0]


async def test_a_section_entered_afterwards_raises_at_once() -> None:
    interrupt = Interrupt()
    interrupt.cancel(ValueError("stop"))
    with pytest.raises(ValueError, match="stop"), interrupt:
        pytest.fail("entered")


async def test_a_cancellation_by_somebody_else_wins() -> None:
    interrupt, entered = Interrupt(), asyncio.Event()
    task = asyncio.create_task(inside(interrupt, entered))
    await entered.wait()
    interrupt.cancel(ValueError("stop"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelling() == 1


async def test_a_task_that_was_being_cancelled_already_still_gets_the_error() -> None:
    interrupt, outcome = Interrupt(), []

    async def cleaning_up() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            try:
                await inside(interrupt)
            except ValueError as error:
                outcome.append(error)
            raise

    task = asyncio.create_task(cleaning_up())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    interrupt.cancel(ValueError("stop"))
    await asyncio.wait([task])
    assert task.cancelled()
    assert len(outcome) == 1


async def test_of_two_nested_sections_the_outer_error_is_raised_when_both_end_at_once() -> None:
    outer, inner, entered = Interrupt(), Interrupt(), asyncio.Event()

    async def both() -> None:
        with outer:
            await inside(inner, entered)

    task = asyncio.create_task(both())
    await entered.wait()
    inner.cancel(ValueError("inner"))
    outer.cancel(KeyError("outer"))
    with pytest.raises(KeyError):
        await task
    assert task.cancelling() == 0


async def test_a_task_that_interrupts_itself_goes_on_to_the_end_of_its_section() -> None:
    interrupt, task = Interrupt(), asyncio.current_task()
    assert task is not None
    with interrupt:
        interrupt.cancel(ValueError("stop"))
        await asyncio.sleep(0)
    assert task.cancelling() == 0
    with pytest.raises(ValueError, match="stop"), interrupt:
        pytest.fail("entered")


def test_an_exception_is_raised_again_with_its_own_context() -> None:
    failure = ValueError("it")
    failure.__context__ = context = KeyError("its own")
    with pytest.raises(ValueError, match="it"):
        try:
            raise RuntimeError("another")
        except RuntimeError:
            reraise(failure)
    assert failure.__context__ is context
