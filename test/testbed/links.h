/* What the parts of links share; links.c says what links does. */
#ifndef LINKS_H
#define LINKS_H

#include <stdint.h>

/* A socket's ring has FRAMES slots of FRAME bytes. */
enum { FRAME = 2048, FRAMES = 2048, LINKS = 32 };

struct frame {
	struct frame *next;
	uint64_t time; /* of arrival while it waits, of departure on the line */
	uint32_t length;
	uint8_t bytes[FRAME];
};

struct list {
	struct frame *first, **last;
};

struct settings {
	double rate, queue, delay, jitter, reorder, loss, mtu, fragments, block;
};

struct counters {
	uint64_t in_packets, in_bytes, packets, bytes, queue, loss, mtu, fragments, block, missed, errors;
};

struct direction {
	struct settings set;
	struct counters count;
	struct list waiting, line;
	uint64_t queued;    /* bytes in `waiting` */
	uint64_t free_at;   /* when the serialiser has sent what it was given */
	uint64_t last_due;
	uint64_t arrived;   /* of the latest frame: time stamps never step back */
	uint64_t random;
	int input, output;  /* sockets */
	uint8_t *ring;
	unsigned slot;
};

/* Two for each link: up, then down. */
extern struct direction directions[LINKS * 2];
extern int count;

uint64_t read_clock(int id);

/* links-line.c */
void arrive(struct direction *d, const uint8_t *bytes, uint32_t length, uint64_t time);
void advance(struct direction *d, uint64_t now);
void discard(struct direction *d);
struct frame *take_due(struct direction *d, uint64_t now);
void release(struct frame *frame);
uint64_t next_due(const struct direction *d);

/* links-device.c */
void open_link(char *pair, uint64_t seed);
int drain(struct direction *d, uint64_t now, uint64_t wall_ahead);
void emit(struct direction *d, uint64_t now);

/* links-command.c */
int obey(void);

#endif
