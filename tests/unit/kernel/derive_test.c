// SPDX-License-Identifier: Apache-2.0
//
// Goal: a capability is live exactly as long as nobody above it has taken it back; taking back
// undoes each derived node once, leaves first, in bounded work, whatever the tree looks like.
// Method: the kernel's own tree code beside a naive model (parent numbers and a dead flag), shapes
// that hurt (a chain, a star, the full table) and long random histories with slots reused.
#include <kernel/derive.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// The model: -1 no parent; `undone` counts calls of undo since the node was filled.
static struct {
    int parent;
    bool is_filled;
    bool is_live;
    uint32_t undone;
} model[CAP_NODES];

static uint32_t undone_in_all;

static void undo(struct cap *cap)
{
    uint32_t node = cap_node(cap);

    assert_int_equal(cap->child, CAP_NODE_NONE); // leaves before what they were derived from
    assert_false(derive_is_live(cap));           // already dead when it is undone
    model[node].undone++;
    undone_in_all++;
}

// What the kernel does step by step (cap.c). Returns how many nodes were taken back.
static uint32_t cut(struct cap *cap)
{
    uint32_t count = 0;

    derive_stale(cap);
    for (struct cap *leaf = derive_leaf(cap); leaf != NULL; leaf = derive_leaf(cap)) {
        undo(leaf);
        derive_unlink(leaf);
        count++;
    }
    assert_int_equal(cap->taken, count);
    return count;
}

static int begin(void **state)
{
    (void)state;
    undone_in_all = 0;
    for (uint32_t node = 0; node < CAP_NODES; node++) {
        derive_init(&cap_nodes[node]);
        model[node].parent = -1;
        model[node].is_filled = model[node].is_live = false;
        model[node].undone = 0;
    }
    return 0;
}

static void root_fill(uint32_t node)
{
    cap_nodes[node].type = RUMPK_CAP_MEMORY;
    model[node].parent = -1;
    model[node].is_filled = model[node].is_live = true;
    model[node].undone = 0;
}

static void child_fill(uint32_t parent, uint32_t node)
{
    uint64_t epoch = cap_nodes[node].epoch;

    cap_nodes[node] = cap_nodes[parent];
    cap_nodes[node].epoch = epoch;
    derive_link(&cap_nodes[parent], &cap_nodes[node]);
    model[node].parent = (int)parent;
    model[node].is_filled = model[node].is_live = true;
    model[node].undone = 0;
}

// Everything below `node` dies in the model. Returns how many were live.
static uint32_t model_cut(uint32_t node)
{
    uint32_t count = 0;
    bool changed = true;
    static bool below[CAP_NODES];

    memset(below, 0, sizeof(below));
    below[node] = true;
    while (changed) {
        changed = false;
        for (uint32_t other = 0; other < CAP_NODES; other++) {
            if (!model[other].is_live || below[other] || model[other].parent < 0 ||
                !below[model[other].parent])
                continue;
            below[other] = changed = true;
            count++;
        }
    }
    for (uint32_t other = 0; other < CAP_NODES; other++)
        if (below[other] && other != node)
            model[other].is_live = false;
    return count;
}

static void compare(void)
{
    for (uint32_t node = 0; node < CAP_NODES; node++) {
        if (!model[node].is_filled)
            continue;
        assert_int_equal(derive_is_live(&cap_nodes[node]), model[node].is_live);
        assert_int_equal(model[node].undone, model[node].is_live ? 0 : 1);
        assert_true(cap_nodes[node].depth <= RUMPK_DERIVATION_DEPTH_MAX);
    }
}

static void chain(void **state)
{
    (void)state;
    root_fill(7);
    for (uint32_t depth = 1; depth <= RUMPK_DERIVATION_DEPTH_MAX; depth++)
        child_fill(depth == 1 ? 7 : 64 * (depth - 1), 64 * depth);
    assert_int_equal(cap_nodes[64 * RUMPK_DERIVATION_DEPTH_MAX].depth, RUMPK_DERIVATION_DEPTH_MAX);
    assert_int_equal(cut(&cap_nodes[64 * 4]), model_cut(64 * 4));
    compare();
    assert_int_equal(undone_in_all, RUMPK_DERIVATION_DEPTH_MAX - 4);
    assert_int_equal(cut(&cap_nodes[7]), 4);
    (void)model_cut(7);
    compare();
    assert_true(derive_is_live(&cap_nodes[7])); // the own slot stays
}

static void star(void **state)
{
    (void)state;
    root_fill(0);
    for (uint32_t node = 1; node < CAP_NODES; node++)
        child_fill(0, node);
    assert_int_equal(cut(&cap_nodes[0]), CAP_NODES - 1);
    assert_int_equal(undone_in_all, CAP_NODES - 1);
    (void)model_cut(0);
    compare();
    assert_int_equal(cut(&cap_nodes[0]), 0);
}

// A slot that is emptied and filled again does not bring back what hung on it.
static void reuse(void **state)
{
    (void)state;
    root_fill(1);
    child_fill(1, 2);
    child_fill(2, 3);
    assert_int_equal(cut(&cap_nodes[2]), 1);
    derive_clear(&cap_nodes[2]);
    assert_int_equal(cap_nodes[2].type, RUMPK_CAP_NONE);
    child_fill(1, 2);
    assert_true(derive_is_live(&cap_nodes[2]));
    assert_false(derive_is_live(&cap_nodes[3]));
    // Emptying the stale one disturbs nobody's list.
    child_fill(2, 4);
    derive_clear(&cap_nodes[3]);
    assert_int_equal(cap_nodes[2].child, 4);
    assert_int_equal(cut(&cap_nodes[1]), 2);
}

static void histories(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    uint32_t in_use = 200; // a small table makes for tall trees and much reuse

    for (uint32_t step = 0; step < 60000; step++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        uint32_t one = (uint32_t)(random >> 8) % in_use, other = (uint32_t)(random >> 32) % in_use;
        switch (random % 8) {
        case 0:
            if (!model[one].is_filled)
                root_fill(one);
            break;
        case 1:
            if (!model[one].is_filled)
                break;
            assert_int_equal(cut(&cap_nodes[one]), model_cut(one));
            if (random & 0x80) { // the slot goes too
                derive_clear(&cap_nodes[one]);
                model[one].is_filled = model[one].is_live = false;
            }
            break;
        default:
            if (model[one].is_live && !model[other].is_filled &&
                cap_nodes[one].depth < RUMPK_DERIVATION_DEPTH_MAX)
                child_fill(one, other);
            break;
        }
        if (step % 64 == 0)
            compare();
    }
    compare();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(chain, begin),
        cmocka_unit_test_setup(star, begin),
        cmocka_unit_test_setup(reuse, begin),
        cmocka_unit_test_setup(histories, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
