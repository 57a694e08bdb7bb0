/*
 * flow: traffic to measure with. Every mode prints JSON, a line each time.
 *
 *   flow serve --port P [--mptcp]          answers `get`, `put` and `udp` on TCP and UDP port P; prints {"listening":P}
 *   flow get --to ADDRESS --port P ...     downloads: --seconds T (default 10) from connect on, or --bytes B
 *   flow put --to ADDRESS --port P ...     uploads alike; what counts is what the server received within the time
 *   flow connects --to ADDRESS --port P    opens connections for --seconds T, --parallel N at a time, one byte each
 *   flow udp --to ADDRESS --port P ...     sends --rate BITS (default 1e6) of IP bytes in packets of --size BYTES (default 1200) for
 *                                          --seconds T; the server sends each back
 * Common: --bind ADDRESS, --mptcp, --parallel N (default 1), --repeat N (one after another), --limit T (seconds until a connection is
 * given up, default 30; with --seconds T that many more), --interval MS (a line {"at":seconds,"bytes":total} this often).
 * get: --reset-at B (the server aborts with a reset after B bytes), --close-at B (it ends early, in order), --seed N; with --seconds,
 * SIGINT says that the time is up.
 *
 * The contents are random numbers of a seed, and the receiving end compares every byte. One line
 *   {"bytes":…,"seconds":…,"bps":…,"first_byte_ms":…,"content":"good"|"bad","end":"…","peer":"address:port","mptcp":true|false}
 * per connection, or for --parallel above 1 one line with the sums, `last_seconds` and `ends` (how many ended how). `end` is complete,
 * time (the time was up), early (end of file before all came), reset, refused, unreachable, silent (--limit passed), or an errno.
 * `peer` is the client's address as the server saw it; `mptcp` whether the connection still is MPTCP at the client.
 * Status 0 if every connection was complete or ran its time with good content, otherwise 1.
 *
 * All nodes are on one machine, so CLOCK_MONOTONIC is one clock: an upload's window and one-way delays are exact.
 */
#define _GNU_SOURCE
#include "flow.h"

#include <err.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

struct wishes want = { .parallel = 1, .repeat = 1, .rate = 1e6, .limit = 30, .size = 1200 };
int poller;

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "to", 1, 0, 't' },       { "port", 1, 0, 'p' },     { "bind", 1, 0, 'b' },     { "mptcp", 0, 0, 'm' },
		{ "parallel", 1, 0, 'n' }, { "repeat", 1, 0, 'r' },   { "seconds", 1, 0, 's' },  { "bytes", 1, 0, 'y' },
		{ "rate", 1, 0, 'a' },     { "size", 1, 0, 'z' },     { "limit", 1, 0, 'l' },    { "interval", 1, 0, 'i' },
		{ "reset-at", 1, 0, 'R' }, { "close-at", 1, 0, 'C' }, { "seed", 1, 0, 'S' },     { 0, 0, 0, 0 },
	};
	const char *mode = argc > 1 ? argv[1] : "";
	for (int key; (key = getopt_long(argc - 1, argv + 1, "", options, NULL)) != -1;) {
		switch (key) {
		case 't': want.to = optarg; break;
		case 'b': want.bind = optarg; break;
		case 'p': want.port = atoi(optarg); break;
		case 'm': want.mptcp = 1; break;
		case 'n': want.parallel = atoi(optarg); break;
		case 'r': want.repeat = atoi(optarg); break;
		case 's': want.seconds = atof(optarg); break;
		case 'y': want.bytes = (u64)atof(optarg); break;
		case 'a': want.rate = atof(optarg); break;
		case 'z': want.size = (u64)atoi(optarg); break;
		case 'l': want.limit = atof(optarg); break;
		case 'i': want.interval = (u64)atoi(optarg); break;
		case 'R': want.reset_at = (u64)atof(optarg); break;
		case 'C': want.close_at = (u64)atof(optarg); break;
		case 'S': want.seed = (u64)atof(optarg); break;
		default: return 2;
		}
	}
	struct rlimit files = { 65536, 65536 };
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGPIPE, SIG_IGN);
	poller = epoll_create1(EPOLL_CLOEXEC);
	if (want.port <= 0 || want.parallel < 1 || want.rate <= 0)
		errx(2, "--port, --parallel and --rate must be above 0");
	if (!strcmp(mode, "serve"))
		return serve();
	if (!want.to)
		errx(2, "--to is missing");
	if (!strcmp(mode, "get"))
		return transfer(0);
	if (!strcmp(mode, "put"))
		return transfer(1);
	if (!strcmp(mode, "connects"))
		return connects();
	if (!strcmp(mode, "udp"))
		return udp();
	errx(2, "unknown mode: %s", mode);
}
