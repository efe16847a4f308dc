// SPDX-License-Identifier: Apache-2.0
//
// derive.c: the derivation tree. The picture and the promises are in derive.h.
#include <kernel/derive.h>

struct cap cap_nodes[CAP_NODES];

bool derive_is_live(const struct cap *cap)
{
    while (cap->parent != CAP_NODE_NONE) {
        const struct cap *parent = &cap_nodes[cap->parent];

        if (parent->epoch != cap->parent_epoch)
            return false;
        cap = parent;
    }
    return true;
}

bool derive_is_linked(const struct cap *cap)
{
    return cap->previous != CAP_NODE_NONE ||
           (cap->parent != CAP_NODE_NONE && cap_nodes[cap->parent].child == cap_node(cap));
}

void derive_link(struct cap *parent, struct cap *child)
{
    child->parent = cap_node(parent);
    child->parent_epoch = parent->epoch;
    child->depth = parent->depth + 1;
    child->child = CAP_NODE_NONE;
    child->previous = CAP_NODE_NONE;
    child->next = parent->child;
    if (parent->child != CAP_NODE_NONE)
        cap_nodes[parent->child].previous = cap_node(child);
    parent->child = cap_node(child);
}

// `parent` stays: it is what makes the node stale.
void derive_unlink(struct cap *cap)
{
    if (!derive_is_linked(cap))
        return;
    for (uint16_t node = cap->parent; node != CAP_NODE_NONE; node = cap_nodes[node].parent)
        cap_nodes[node].taken++;
    if (cap->previous != CAP_NODE_NONE)
        cap_nodes[cap->previous].next = cap->next;
    else if (cap->parent != CAP_NODE_NONE && cap_nodes[cap->parent].child == cap_node(cap))
        cap_nodes[cap->parent].child = cap->next;
    if (cap->next != CAP_NODE_NONE)
        cap_nodes[cap->next].previous = cap->previous;
    cap->next = CAP_NODE_NONE;
    cap->previous = CAP_NODE_NONE;
}

void derive_stale(struct cap *cap)
{
    cap->epoch++;
    cap->taken = 0;
}

struct cap *derive_leaf(const struct cap *cap)
{
    struct cap *leaf = NULL;

    // Each turn is one level deeper, so at most RUMPK_DERIVATION_DEPTH_MAX turns.
    for (uint16_t node = cap->child; node != CAP_NODE_NONE; node = leaf->child)
        leaf = &cap_nodes[node];
    return leaf;
}

void derive_clear(struct cap *cap)
{
    derive_unlink(cap);
    derive_init(cap);
}

void derive_init(struct cap *cap)
{
    *cap = (struct cap){
        .epoch = cap->epoch + 1,
        .parent = CAP_NODE_NONE,
        .child = CAP_NODE_NONE,
        .next = CAP_NODE_NONE,
        .previous = CAP_NODE_NONE,
        .via = CAP_VIA_NONE,
    };
}
