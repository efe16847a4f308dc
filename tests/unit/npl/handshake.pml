// SPDX-License-Identifier: Apache-2.0
//
// handshake.pml: one ION ring with both its ends asleep and awake, on processors that delay stores.
//
// Goal: no wake-up is lost: no end sleeps while there is something for it (an invalid end state),
// and no message is read before it is written (the assertion).
// Method: sysroot/libnpl/src/ring.c line by line, cached peer index and batches included; handshake.py
// beside this file has spin visit every state, then takes one piece away after the other with -D.
//
//   end(PRODUCER) --STORE--> buffer[PRODUCER] --processor()--> memory --LOAD--> end(CONSUMER)
//                 <--LOAD--                   memory <--processor()-- buffer[CONSUMER] <--STORE--
//
// Stores leave a buffer in any order, as on the weakest processors: only two to the same place keep
// theirs, and a release waits for all before it. A fence waits until the buffer is empty. Loads are
// made in the order of the program; ring_order.py looks for the acquires.
//
// The kernel is as blind as it may be. Entering it drains no buffer. recv looks once, in one step
// with going to sleep; send wakes only who sleeps by then, and only if it sees something for it. Either
// sees its caller's own index, because it runs on the caller's processor, and of the rest what
// is in memory. The real kernel looks again when it has nothing to do; this one never does.

#ifndef MESSAGES
#define MESSAGES 4 // more than SLOTS: both ends come to sleep
#endif
#define SLOTS   2
#define DELAYED 4 // stores in one buffer

#define PRODUCER 0
#define CONSUMER 1

// What is taken away: a bit for each end that does without it.
#ifndef NO_PUBLISH_FENCE
#define NO_PUBLISH_FENCE 0
#endif
#ifndef NO_ANNOUNCE_FENCE
#define NO_ANNOUNCE_FENCE 0
#endif
#ifndef READ_BEFORE_STORE // publish reads the peer's `waiting` first
#define READ_BEFORE_STORE 0
#endif
#ifndef LOOK_BEFORE_ANNOUNCE // the sleeper and its recv look first
#define LOOK_BEFORE_ANNOUNCE 0
#endif
#ifndef BLIND_RECV // recv sleeps without looking
#define BLIND_RECV 0
#endif
#ifndef NO_RELEASE // the own index is a plain store
#define NO_RELEASE 0
#endif
#define CONCERNS(bits) ((bits >> me) & 1)

// Places in memory: head, tail; the two `waiting`; the slots.
#define INDEX(who)   (who)
#define WAITING(who) (2 + who)
#define SLOT(number) (4 + (number) % SLOTS)
byte memory[4 + SLOTS];

chan buffer[2] = [DELAYED] of {byte, byte, bit}; // place, value, is it a release
bool asleep[2];

#define STORE(place, value)   buffer[me]!place, value, 0
#define RELEASE(place, value) buffer[me]!place, value, 1 - CONCERNS(NO_RELEASE)
#define LOAD(place)           memory[place]
#define FENCE                 empty(buffer[me])

// Lets the stores of one end reach memory.
proctype processor(bit me)
{
    byte place, value;

end:
    do
    :: atomic { buffer[me]?place, value, 1 -> memory[place] = value }
    :: atomic { buffer[me]??eval(INDEX(me)), value, 0 -> memory[INDEX(me)] = value }
    :: atomic { buffer[me]??eval(WAITING(me)), value, 0 -> memory[WAITING(me)] = value }
    :: atomic { buffer[me]??eval(SLOT(0)), value, 0 -> memory[SLOT(0)] = value }
    :: atomic { buffer[me]??eval(SLOT(1)), value, 0 -> memory[SLOT(1)] = value }
    od
}

// Slots that an end may use when its own index and the peer's are these.
#define ALLOWED(who, mine, other) ((who) == PRODUCER -> SLOTS - (mine - other) : other - mine)
#define USABLE                    ALLOWED(me, own, peer)

// npl_ring_publish, and what the kernel's send does.
inline publish()
{
    if
    :: own == published
    :: else ->
        if
        :: CONCERNS(READ_BEFORE_STORE) -> peer_waits = LOAD(WAITING(1 - me))
        :: else
        fi;
        RELEASE(INDEX(me), own);
        published = own;
        if
        :: !CONCERNS(NO_PUBLISH_FENCE) -> FENCE
        :: else
        fi;
        if
        :: !CONCERNS(READ_BEFORE_STORE) -> peer_waits = LOAD(WAITING(1 - me))
        :: else
        fi;
        if
        :: peer_waits ->
            atomic {
                if
                :: ALLOWED(1 - me, LOAD(INDEX(1 - me)), own) > 0 -> asleep[1 - me] = false
                :: else
                fi
            }
        :: else
        fi;
        peer_waits = false
    fi
}

// npl_ring_announce.
inline announce()
{
    STORE(WAITING(me), 1);
    if
    :: !CONCERNS(NO_ANNOUNCE_FENCE) -> FENCE
    :: else
    fi
}

// The kernel's look in recv.
#define NOTHING (ALLOWED(me, own, LOAD(INDEX(1 - me))) == 0)

// npl_ring_sleep. The other order has its recv look, too, before it announces.
inline sleep_until_ready()
{
    do
    :: CONCERNS(LOOK_BEFORE_ANNOUNCE) ->
        peer = LOAD(INDEX(1 - me));
        if
        :: USABLE > 0 -> break
        :: else
        fi;
        announce();
        asleep[me] = true;
        !asleep[me]
    :: else ->
        announce();
        peer = LOAD(INDEX(1 - me));
        if
        :: USABLE > 0 -> break
        :: else
        fi;
        atomic { asleep[me] = CONCERNS(BLIND_RECV) || NOTHING };
        !asleep[me];
        peer = LOAD(INDEX(1 - me));
        if
        :: USABLE > 0 -> break
        :: else
        fi
    od;
    STORE(WAITING(me), 0)
}

// An honest user of the ring: fills or takes what is there, publishes when it likes, and in any
// case before it sleeps and at its end.
proctype end_of_ring(bit me)
{
    byte own, published, peer;
    bool peer_waits;

    do
    :: own == MESSAGES -> break
    :: own < MESSAGES && USABLE > 0 ->
        if
        :: me == PRODUCER -> STORE(SLOT(own), own + 1)
        :: else -> assert(LOAD(SLOT(own)) == own + 1)
        fi;
        own++;
        if
        :: publish()
        :: true
        fi
    :: own < MESSAGES && USABLE == 0 ->
        peer = LOAD(INDEX(1 - me));
        if
        :: USABLE > 0
        :: else ->
            publish();
            sleep_until_ready()
        fi
    od;
    publish()
}

init
{
    atomic {
        run processor(PRODUCER);
        run processor(CONSUMER);
        run end_of_ring(PRODUCER);
        run end_of_ring(CONSUMER)
    }
}
