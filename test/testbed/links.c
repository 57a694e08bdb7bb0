/*
 * links: emulates lines between pairs of Ethernet devices.
 *
 *   links SEED NEAR:FAR...
 *
 * What enters device NEAR leaves by FAR (direction `up`) and the other way round (`down`). Each direction is a drop-tail queue, a
 * serialiser of a given rate, random loss, and a delay line. Bytes are those of Ethernet frames without preamble and checksum: an IP
 * packet of 1500 bytes counts 1514. Arrival times are the kernel's time stamps, so a frame that waits to be read is not delayed by it.
 *
 * Commands, a line each on standard input, each answered by one line:
 *   set LINK up|down KEY=VALUE...   `ok`, or `error: why` (nothing is changed then)
 *   get                             the counters of all links as JSON
 *   cpu                             the processor time it used, in seconds
 * Keys: rate (bit/s, 0: no limit), queue (bytes that may wait, the frame being sent apart), delay and jitter (ns; a frame is delayed by
 * delay and up to jitter more), reorder (1: jitter may change the order), loss (0 to 1), mtu (bytes of the largest IP packet that
 * passes, 0: all; larger ones vanish), fragments (1: IP fragments vanish), block (1: everything vanishes,
 * what is on its way included).
 * It ends at end of file.
 */
#define _GNU_SOURCE
#include "links.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

/* While there is traffic, it looks at everything this often (ns) instead of being woken for each frame, which costs several times the processor time. */
static const uint64_t TICK = 500000;
/* This long (ns) after the last frame it sleeps until one comes. */
static const uint64_t LINGER = 2000000;

struct direction directions[LINKS * 2];
int count;

uint64_t read_clock(int id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		errx(2, "usage: links SEED NEAR:FAR...");
	for (int i = 2; i < argc; i++)
		open_link(argv[i], strtoull(argv[1], NULL, 10));
	/* Pacing must not suffer from what is measured. It yields often and uses a small part of a core. */
	struct sched_param priority = { .sched_priority = 1 };
	sched_setscheduler(0, SCHED_FIFO, &priority);
	prctl(PR_SET_TIMERSLACK, 1);
	struct pollfd waits[1 + LINKS * 2] = { { STDIN_FILENO, POLLIN, 0 } };
	for (int i = 0; i < count; i++)
		waits[1 + i] = (struct pollfd){ directions[i].input, POLLIN, 0 };
	printf("ready\n");
	fflush(stdout);
	for (uint64_t busy_until = 0;;) {
		uint64_t now = read_clock(CLOCK_MONOTONIC), wall_ahead = read_clock(CLOCK_REALTIME) - now;
		for (int i = 0; i < count; i++) {
			if (drain(&directions[i], now, wall_ahead))
				busy_until = now + LINGER;
			advance(&directions[i], now);
			emit(&directions[i], now);
		}
		int busy = now < busy_until;
		uint64_t due = UINT64_MAX;
		for (int i = 0; i < count; i++) {
			uint64_t mine = next_due(&directions[i]);
			due = mine < due ? mine : due;
		}
		uint64_t wait = due > now ? due - now : 0;
		if (busy || wait < TICK)
			wait = TICK;
		struct timespec limit = { (time_t)(wait / 1000000000u), (long)(wait % 1000000000u) };
		waits[0].revents = 0;
		if (ppoll(waits, busy ? 1 : (nfds_t)count + 1, due == UINT64_MAX && !busy ? NULL : &limit, NULL) < 0 && errno != EINTR)
			err(1, "ppoll");
		if (waits[0].revents && !obey())
			return 0;
	}
}
