/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/* How the program at a port's egress tells one behind it that the port must not be used. */
#pragma once

/* It is left where the entry of plane ebpf has left the ifindex of the frame's port, which
 * is of no more use there. */
#define CB_UNHEARD 2
#define UNHEARD 0xfffffffe
