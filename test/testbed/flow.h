/* What the parts of flow share; flow.c says what flow does. */
#ifndef FLOW_H
#define FLOW_H

#include <stddef.h>
#include <stdint.h>

typedef unsigned long long u64;

/* PIECE - CHUNK bytes are sent or received at a time. */
enum { CHUNK = 4096, PIECE = 16 * CHUNK, LINE = 160, UDP_MOST = 1472 };

/* The command line. */
struct wishes {
	const char *to, *bind;
	int port, mptcp, parallel, repeat;
	double seconds, rate, limit;
	u64 bytes, reset_at, close_at, seed, size, interval;
};
extern struct wishes want;
extern int poller;

enum state { CONNECTING, REQUESTING, SENDING, RECEIVING, AWAITING, DONE };

struct connection {
	int fd, upload, bad, mptcp;
	enum state state;
	u64 begun, first, finished, until, give_up, moved, total, limit, reset_at, close_at, seed;
	char line[LINE], peer[64], end[24];
	size_t line_used;
	struct connection *next_timed;
};

/* A datagram of `udp`: times and counts are filled in on the way. */
struct probe {
	u64 number, sent, at_server, received;
};

/* flow-connection.c */
u64 now_ns(void);
/* Seconds from one time to another, 0 if that is earlier. */
double span(u64 from, u64 to);
const char *name_error(int number);
void watch(struct connection *c, uint32_t events);
void finish(struct connection *c, const char *how);
int push(struct connection *c);
int pull(struct connection *c);
int read_line(struct connection *c);
int say(struct connection *c, const char *text);
void abort_connection(struct connection *c);

/* The modes; they answer the exit status. */
int serve(void);
int transfer(int upload);
int connects(void);
int udp(void);

#endif
