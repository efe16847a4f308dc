#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every interleaving of the ring's sleep and wake handshake, on processors that delay stores.

Goal: with both full fences no wake-up is lost: whenever the producer is done, the consumer has taken everything
or will run again. Without one of them, or if recv slept without looking, the model finds the lost wake-up, which shows
that it can.
Method: all states are visited. Each side has a store buffer from which stores reach memory later and in order (as
on x86-64; weaker processors are given the same order by release and acquire, see ring.c and ring_order.py). The
kernel is as blind as it may be: recv looks at the ring once, in one step with going to sleep, and a send wakes only
who sleeps by then; entering the kernel drains no store buffer.

    producer, for each message        consumer, until all are taken
      head = head + 1                   look: head != tail -> take all, look again
      full fence                        waiting = 1
      read waiting                      full fence
      1: send                           look again: something there -> waiting = 0, take
                                        recv: something there -> return, else sleep until send
                                        waiting = 0
"""
import sys

MESSAGES = 2


class Model:
    def __init__(self, producer_fence=True, consumer_fence=True, kernel_looks=True):
        self.producer_fence, self.consumer_fence, self.kernel_looks = producer_fence, consumer_fence, kernel_looks

    # State: (producer step, sent, producer's buffer, head, consumer step, taken, consumer's buffer, waiting, asleep)
    START = ("store", 0, (), 0, "look", 0, (), 0, False)

    def producer(self, state):
        step, sent, buffer, head, *rest = state
        consumer, taken, consumer_buffer, waiting, asleep = rest
        if step == "store":
            if sent < MESSAGES:
                yield ("fence", sent + 1, buffer + (sent + 1,), head, *rest)
        elif step == "fence":
            if not self.producer_fence or not buffer:
                yield ("read", sent, buffer, head, *rest)
        elif step == "read":
            yield ("send" if waiting else "store", sent, buffer, head, *rest)
        elif step == "send":
            yield ("store", sent, buffer, head, consumer, taken, consumer_buffer, waiting, False)
        if buffer:
            yield (step, sent, buffer[1:], buffer[0], *rest)

    def consumer(self, state):
        *first, step, taken, buffer, waiting, asleep = state
        head = first[3]
        if step == "look":
            if head != taken:
                yield (*first, "look", head, buffer, waiting, asleep)
            else:
                yield (*first, "fence", taken, buffer + (1,), waiting, asleep)
        elif step == "fence":
            if not self.consumer_fence or not buffer:
                yield (*first, "again", taken, buffer, waiting, asleep)
        elif step == "again":
            if head != taken:
                yield (*first, "look", taken, buffer + (0,), waiting, asleep)
            else:
                yield (*first, "recv", taken, buffer, waiting, asleep)
        elif step == "recv":
            yield (*first, "wake", taken, buffer, waiting, not (self.kernel_looks and head != taken))
        elif step == "wake":
            if not asleep:
                yield (*first, "look", taken, buffer + (0,), waiting, asleep)
        if buffer:
            yield (*first, step, taken, buffer[1:], buffer[0], asleep)

    def lost(self):
        """A state in which nothing can happen although a message is not taken, with its way there; or None. Also the
        number of states."""
        seen, open_states = {self.START: None}, [self.START]
        while open_states:
            state = open_states.pop()
            following = list(self.producer(state)) + list(self.consumer(state))
            if not following and state[5] != MESSAGES:
                return state, len(seen)
            for other in following:
                if other not in seen:
                    seen[other] = state
                    open_states.append(other)
        return None, len(seen)


def main():
    failed = False
    for name, model, must_hold in (
            ("as it is", Model(), True),
            ("without the producer's fence", Model(producer_fence=False), False),
            ("without the consumer's fence", Model(consumer_fence=False), False),
            ("with a recv that does not look", Model(kernel_looks=False), False)):
        lost, states = model.lost()
        held = (lost is None) == must_hold
        failed |= not held
        print(f"{'ok' if held else 'FAILED'}: {name}: {states} states, "
              f"{'no lost wake-up' if lost is None else 'lost wake-up: ' + str(lost)}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
