// SPDX-License-Identifier: Apache-2.0
//
// wire.c: connecting clients with services.
//
//   stream    client --request ring--> server
//   service   client --request ring--> server
//             client <--reply ring---- server      and an arena that both reach
#include <kernel/init.h>
#include <kernel/memory.h>
#include <kernel/ring.h>

enum part {
    PART_REQUEST,
    PART_REPLY,
    PART_ARENA,
    PART_COUNT,
};

struct wire_state {
    bool is_made;
    uint8_t client_slots[PART_COUNT];
    uint8_t server_slots[PART_COUNT];
};

static struct wire_state states[RUMPK_WIRES_MAX];

static const struct bkdl_list *all(void)
{
    return &init_archive.boot.wires;
}

static const struct rumpk_bkdl_service *service_find(const struct bkdl_list *list,
                                                     const struct rumpk_bkdl_wire *wire)
{
    for (uint32_t index = 0; index < list->count; index++) {
        const struct rumpk_bkdl_service *service = bkdl_service(list, index);

        if (text_equal(service->name, wire->service, RUMPK_LABEL_SIZE) &&
            service->style == wire->style)
            return service;
    }
    return NULL;
}

// Earlier wires with the same service at the same client or server; refused clients do not count
// for the server.
static uint32_t earlier_count(uint32_t index, bool at_server)
{
    const struct rumpk_bkdl_wire *wire = bkdl_wire(all(), index);
    uint32_t count = 0;

    for (uint32_t other = 0; other < index; other++) {
        const struct rumpk_bkdl_wire *earlier = bkdl_wire(all(), other);

        if (!text_equal(earlier->service, wire->service, RUMPK_LABEL_SIZE))
            continue;
        if (at_server)
            count += earlier->server == wire->server &&
                     init_is_accepted(&init_packages[earlier->client]);
        else
            count += earlier->client == wire->client;
    }
    return count;
}

// Do both ends say what the wire says? Both packages are accepted, so their manifests are there.
static bool wire_fits(uint32_t index)
{
    const struct rumpk_bkdl_wire *wire = bkdl_wire(all(), index);
    const struct rumpk_bkdl_service *need =
        service_find(&init_packages[wire->client].manifest.needs, wire);
    const struct rumpk_bkdl_service *offer =
        service_find(&init_packages[wire->server].manifest.provides, wire);

    return wire->client != wire->server && need != NULL && offer != NULL &&
           need->version == offer->version && earlier_count(index, false) == 0 &&
           earlier_count(index, true) < offer->clients;
}

void wire_check(void)
{
    for (uint32_t index = 0; index < all()->count; index++) {
        const struct rumpk_bkdl_wire *wire = bkdl_wire(all(), index);
        struct package *client = &init_packages[wire->client];

        if (init_is_accepted(client) && init_is_accepted(&init_packages[wire->server]) &&
            !wire_fits(index))
            init_refuse(client, RUMPK_REFUSE_WIRE, index);
    }
}

// Is the need wired to an accepted package, or to one that its client would wait for?
static bool need_is_met(const struct package *package, const struct rumpk_bkdl_service *need)
{
    for (uint32_t index = 0; index < all()->count; index++) {
        const struct rumpk_bkdl_wire *wire = bkdl_wire(all(), index);

        if (wire->client == package->number &&
            text_equal(wire->service, need->name, RUMPK_LABEL_SIZE) &&
            (wire->start == RUMPK_START_AFTER_OR_WAIT ||
             init_is_accepted(&init_packages[wire->server])))
            return true;
    }
    return false;
}

// Refusing one package may leave another without its service, so this goes on until nothing
// changes: at most once per package.
void wire_check_needs(void)
{
    uint32_t count = init_archive.boot.image->package_count;
    bool changed = true;

    for (uint32_t round = 0; round <= count && changed; round++) {
        changed = false;
        for (uint32_t number = 0; number < count; number++) {
            struct package *package = &init_packages[number];

            for (uint32_t index = 0;
                 init_is_accepted(package) && index < package->manifest.needs.count; index++) {
                const struct rumpk_bkdl_service *need =
                    bkdl_service(&package->manifest.needs, index);

                if (need->optional == 0 && !need_is_met(package, need)) {
                    init_refuse(package, RUMPK_REFUSE_NEED_MISSING, index);
                    changed = true;
                }
            }
        }
    }
}

// ---- rings and arenas ----

// A capability for one end, and tables so that it can be mapped.
static int64_t end_add(struct fiber *fiber, struct cap cap, uint64_t base, uint64_t size,
                       uint8_t *slot)
{
    int64_t result;

    if (!place_prepare(fiber, base, size))
        return RUMPK_E_MEMORY;
    result = cap_add(fiber, cap);
    if (result >= 0)
        *slot = (uint8_t)result;
    return result;
}

// `lender`: the client's end.
static int64_t ring_apply(const struct rumpk_bkdl_wire *wire, struct fiber *from, struct fiber *to,
                          uint32_t lender, uint8_t *from_slot, uint8_t *to_slot)
{
    struct cap cap = {.type = RUMPK_CAP_RING,
                      .rights = RUMPK_RIGHT_WRITE,
                      .part = RING_PRODUCER,
                      .name = wire->service};
    struct ring *ring;
    int64_t result = ring_new(wire->slots, &cap.object);

    if (result != RUMPK_OK)
        return result;
    ring = &rings[cap.object];
    result = end_add(from, cap, ring->base, ring->size, from_slot);
    if (result < 0)
        return result;
    cap.part = RING_CONSUMER;
    cap.rights = RUMPK_RIGHT_READ;
    result = end_add(to, cap, ring->base, ring->size, to_slot);
    if (result < 0)
        return result;
    ring->lender = lender;
    return RUMPK_OK;
}

// Whose owner allows DMA may let its device reach the arena: data go from the disk to the client
// without a copy.
static uint8_t arena_rights(const struct fiber *fiber)
{
    uint32_t flags = init_archive.boot.packages[fiber->number].package->flags;

    return RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE |
           ((flags & RUMPK_PACKAGE_DMA) != 0 ? RUMPK_RIGHT_DMA : 0);
}

static int64_t arena_apply(const struct rumpk_bkdl_wire *wire, struct fiber *client,
                           struct fiber *server, struct wire_state *state)
{
    struct cap cap = {.type = RUMPK_CAP_MEMORY, .name = wire->service};
    const struct memory_object *object;
    int64_t result =
        memory_object_new(page_up((uint64_t)wire->arena_count * wire->arena_size), &cap.object);

    if (result != RUMPK_OK)
        return result;
    object = &memory_objects[cap.object];
    cap.rights = arena_rights(client);
    result = end_add(client, cap, object->base, object->size, &state->client_slots[PART_ARENA]);
    if (result < 0)
        return result;
    cap.rights = arena_rights(server);
    return end_add(server, cap, object->base, object->size, &state->server_slots[PART_ARENA]);
}

static int64_t wire_make(const struct rumpk_bkdl_wire *wire, struct wire_state *state)
{
    struct fiber *client = &fiber_table[wire->client];
    struct fiber *server = &fiber_table[wire->server];
    int64_t result =
        ring_apply(wire, client, server, RING_PRODUCER, &state->client_slots[PART_REQUEST],
                   &state->server_slots[PART_REQUEST]);

    if (result < 0 || wire->style == RUMPK_STYLE_STREAM)
        return result;
    result = ring_apply(wire, server, client, RING_CONSUMER, &state->server_slots[PART_REPLY],
                        &state->client_slots[PART_REPLY]);
    if (result < 0)
        return result;
    return arena_apply(wire, client, server, state);
}

void wire_apply(void)
{
    for (uint32_t index = 0; index < all()->count; index++) {
        const struct rumpk_bkdl_wire *wire = bkdl_wire(all(), index);
        struct package *client = &init_packages[wire->client];
        int64_t result;

        if (!init_is_accepted(client) || !init_is_accepted(&init_packages[wire->server]))
            continue;
        result = wire_make(wire, &states[index]);
        states[index].is_made = result >= 0;
        if (result >= 0)
            rings[fiber_table[wire->server].caps[states[index].server_slots[PART_REQUEST]].object]
                .wire = index;
        if (result < 0)
            init_refuse(client, result == RUMPK_E_LIMIT ? RUMPK_REFUSE_LIMIT : RUMPK_REFUSE_MEMORY,
                        index);
    }
}

uint32_t wire_channels(const struct package *package, struct rumpk_channel *out, uint32_t max)
{
    uint32_t count = 0;

    for (uint32_t index = 0; index < all()->count && count < max; index++) {
        const struct rumpk_bkdl_wire *wire = bkdl_wire(all(), index);
        bool is_client = wire->client == package->number;
        bool is_service = wire->style == RUMPK_STYLE_SERVICE;
        const uint8_t *slots = is_client ? states[index].client_slots : states[index].server_slots;
        uint32_t peer = is_client ? wire->server : wire->client;
        struct rumpk_channel *channel = &out[count];

        if (!states[index].is_made || (!is_client && wire->server != package->number) ||
            !init_is_accepted(&init_packages[peer]))
            continue;
        *channel = (struct rumpk_channel){
            .id = wire->channel,
            .style = wire->style,
            .role = is_client ? RUMPK_ROLE_CLIENT : RUMPK_ROLE_SERVER,
            .request_slot = slots[PART_REQUEST],
            .reply_slot = is_service ? slots[PART_REPLY] : RUMPK_SLOT_NONE,
            .arena_slot = is_service ? slots[PART_ARENA] : RUMPK_SLOT_NONE,
            .arena_count = wire->arena_count,
            .arena_size = wire->arena_size,
        };
        memcpy(channel->service, wire->service, sizeof(channel->service));
        memcpy(channel->peer, init_archive.boot.packages[peer].package->name,
               sizeof(channel->peer));
        count++;
    }
    return count;
}
