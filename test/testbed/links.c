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
 * Keys: rate (bit/s, 0: no limit), queue (bytes that may wait, the frame being sent apart), delay and jitter (ns; a frame is delayed by
 * delay and up to jitter more), reorder (1: jitter may change the order), loss (0 to 1), mtu (bytes of the largest IP packet that
 * passes, 0: all; larger ones vanish), fragments (1: IP fragments vanish), block (1: everything vanishes,
 * what is on its way included).
 * It ends at end of file.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAME = 2048, FRAMES = 2048, BLOCK = 1 << 16, BATCH = 64, LINKS = 32 };

/* While there is traffic, it looks at everything this often (ns) instead of being woken for each frame: a tenth of the processor time. */
static const uint64_t TICK = 250000;
/* This long (ns) after the last frame it sleeps until one comes. */
static const uint64_t LINGER = 2000000;

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

static const struct {
	const char *name;
	size_t offset;
	double most;
} keys[] = {
	{ "rate", offsetof(struct settings, rate), 1e11 },   { "queue", offsetof(struct settings, queue), 1e9 },
	{ "delay", offsetof(struct settings, delay), 6e10 }, { "jitter", offsetof(struct settings, jitter), 6e10 },
	{ "reorder", offsetof(struct settings, reorder), 1 }, { "loss", offsetof(struct settings, loss), 1 },
	{ "mtu", offsetof(struct settings, mtu), 65535 },    { "fragments", offsetof(struct settings, fragments), 1 },
	{ "block", offsetof(struct settings, block), 1 },
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

static struct direction directions[LINKS * 2];
static int count;
static struct frame *spare;

static uint64_t read_clock(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* splitmix64 */
static double random_fraction(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static void append(struct list *list, struct frame *frame)
{
	frame->next = NULL;
	*list->last = frame;
	list->last = &frame->next;
}

static struct frame *take(struct list *list)
{
	struct frame *frame = list->first;
	list->first = frame->next;
	if (!list->first)
		list->last = &list->first;
	return frame;
}

static void insert_by_time(struct list *list, struct frame *frame)
{
	struct frame **at = &list->first;
	while (*at && (*at)->time <= frame->time)
		at = &(*at)->next;
	frame->next = *at;
	*at = frame;
	if (!frame->next)
		list->last = &frame->next;
}

static struct frame *new_frame(void)
{
	struct frame *frame = spare;
	if (frame)
		spare = frame->next;
	else if (!(frame = malloc(sizeof *frame)))
		err(1, "malloc");
	return frame;
}

static void release(struct frame *frame)
{
	frame->next = spare;
	spare = frame;
}

static uint64_t serialise_time(const struct direction *d, uint32_t length)
{
	return d->set.rate > 0 ? (uint64_t)(length * 8e9 / d->set.rate) : 0;
}

/* Brings the serialiser to `now`: what it began to send by then is on the line or lost. */
static void advance(struct direction *d, uint64_t now)
{
	while (d->waiting.first) {
		struct frame *frame = d->waiting.first;
		uint64_t start = frame->time > d->free_at ? frame->time : d->free_at;
		if (start > now)
			return;
		take(&d->waiting);
		d->queued -= frame->length;
		d->free_at = start + serialise_time(d, frame->length);
		if (d->set.loss > 0 && random_fraction(&d->random) < d->set.loss) {
			d->count.loss++;
			release(frame);
			continue;
		}
		frame->time = d->free_at + (uint64_t)d->set.delay;
		if (d->set.jitter > 0)
			frame->time += (uint64_t)(random_fraction(&d->random) * d->set.jitter);
		if (d->set.reorder > 0) {
			insert_by_time(&d->line, frame);
			continue;
		}
		if (frame->time < d->last_due)
			frame->time = d->last_due;
		d->last_due = frame->time;
		append(&d->line, frame);
	}
}

/* Whether the link swallows a frame of this kind; counts it if so. */
static int swallows(struct direction *d, const uint8_t *bytes, uint32_t length)
{
	if (d->set.block > 0)
		return d->count.block++, 1;
	if (d->set.mtu > 0 && length > d->set.mtu + ETH_HLEN)
		return d->count.mtu++, 1;
	/* More-fragments bit or an offset, RFC 791; next header 44, RFC 8200. */
	if (d->set.fragments > 0 && length >= ETH_HLEN + 20) {
		int v4 = bytes[12] == 8 && bytes[13] == 0 && ((bytes[20] & 0x3f) || bytes[21]);
		int v6 = bytes[12] == 0x86 && bytes[13] == 0xdd && bytes[20] == 44;
		if (v4 || v6)
			return d->count.fragments++, 1;
	}
	return 0;
}

static void discard(struct direction *d)
{
	struct list *lists[] = { &d->waiting, &d->line };
	for (int i = 0; i < 2; i++)
		while (lists[i]->first) {
			release(take(lists[i]));
			d->count.block++;
		}
	d->queued = 0;
}

static void arrive(struct direction *d, const uint8_t *bytes, uint32_t length, uint64_t time)
{
	d->count.in_packets++;
	d->count.in_bytes += length;
	advance(d, time);
	if (swallows(d, bytes, length))
		return;
	if (d->set.rate > 0 && d->queued && (double)(d->queued + length) > d->set.queue) {
		d->count.queue++;
		return;
	}
	struct frame *frame = new_frame();
	frame->time = time;
	frame->length = length;
	memcpy(frame->bytes, bytes, length);
	append(&d->waiting, frame);
	d->queued += length;
}

/* Takes all that the kernel has received for a direction; true if there was any. */
static int drain(struct direction *d, uint64_t now, uint64_t wall_ahead)
{
	int any = 0;
	for (;; any = 1) {
		uint8_t *slot = d->ring + (size_t)d->slot * FRAME;
		struct tpacket2_hdr *header = (struct tpacket2_hdr *)slot;
		if (!(__atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			return any;
		uint64_t time = (uint64_t)header->tp_sec * 1000000000u + header->tp_nsec - wall_ahead;
		if (time > now)
			time = now;
		if (time < d->arrived)
			time = d->arrived;
		d->arrived = time;
		/* Cut short: an offload is on at the sender. Half-made checksum: the same. */
		if (header->tp_snaplen != header->tp_len || (header->tp_status & TP_STATUS_CSUMNOTREADY))
			d->count.errors++;
		else
			arrive(d, slot + header->tp_mac, header->tp_snaplen, time);
		__atomic_store_n(&header->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		d->slot = (d->slot + 1) % FRAMES;
	}
}

static void emit(struct direction *d, uint64_t now)
{
	while (d->line.first && d->line.first->time <= now) {
		struct mmsghdr messages[BATCH];
		struct iovec parts[BATCH];
		struct frame *frames[BATCH];
		int batch = 0;
		while (batch < BATCH && d->line.first && d->line.first->time <= now) {
			struct frame *frame = take(&d->line);
			frames[batch] = frame;
			parts[batch] = (struct iovec){ frame->bytes, frame->length };
			messages[batch] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &parts[batch], .msg_iovlen = 1 } };
			batch++;
		}
		for (int sent = 0; sent < batch;) {
			int n = sendmmsg(d->output, messages + sent, (unsigned)(batch - sent), MSG_DONTWAIT);
			if (n <= 0) {
				d->count.errors++;
				n = 1;
			} else {
				for (int i = sent; i < sent + n; i++)
					d->count.packets++, d->count.bytes += frames[i]->length;
			}
			sent += n;
		}
		for (int i = 0; i < batch; i++)
			release(frames[i]);
	}
}

static int open_device(const char *name)
{
	int yes = 1, version = TPACKET_V2, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct tpacket_req request = { BLOCK, FRAMES * FRAME / BLOCK, FRAME, FRAMES };
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(name) };
	if (fd < 0 || !address.sll_ifindex || setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes) != 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes) != 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
		err(1, "cannot open device %s", name);
	return fd;
}

static void open_link(char *pair, uint64_t seed)
{
	char *far = strchr(pair, ':');
	if (!far || count + 2 > LINKS * 2)
		errx(1, "not NEAR:FAR, or too many links: %s", pair);
	*far++ = 0;
	int fds[2] = { open_device(pair), open_device(far) };
	for (int i = 0; i < 2; i++) {
		struct direction *d = &directions[count];
		d->input = fds[i];
		d->output = fds[!i];
		d->ring = mmap(NULL, (size_t)FRAMES * FRAME, PROT_READ | PROT_WRITE, MAP_SHARED, d->input, 0);
		if (d->ring == MAP_FAILED)
			err(1, "cannot map the ring of %s", pair);
		d->waiting.last = &d->waiting.first;
		d->line.last = &d->line.first;
		d->random = seed * 1000003u + (uint64_t)count;
		count++;
	}
}

static void print_counters(void)
{
	printf("[");
	for (int i = 0; i < count; i++) {
		struct direction *d = &directions[i];
		struct tpacket_stats stats;
		socklen_t size = sizeof stats;
		if (getsockopt(d->input, SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0)
			d->count.missed += stats.tp_drops;
		const struct counters *c = &d->count;
		printf("%s{\"inPackets\":%lu,\"inBytes\":%lu,\"packets\":%lu,\"bytes\":%lu,\"queued\":%lu,\"drops\":{\"queue\":%lu,\"loss\":%lu,"
		       "\"mtu\":%lu,\"fragments\":%lu,\"block\":%lu,\"missed\":%lu,\"errors\":%lu}}%s",
		       i % 2 ? ",\"down\":" : i ? ",{\"up\":" : "{\"up\":", c->in_packets, c->in_bytes, c->packets, c->bytes, d->queued, c->queue,
		       c->loss, c->mtu, c->fragments, c->block, c->missed, c->errors, i % 2 ? "}" : "");
	}
	printf("]\n");
}

static void change(char *words)
{
	int link, used = 0;
	char name[8];
	if (sscanf(words, "%d %7s %n", &link, name, &used) != 2 || link < 0 || link * 2 >= count ||
	    (strcmp(name, "up") && strcmp(name, "down"))) {
		printf("error: no such link or direction: %s\n", words);
		return;
	}
	struct direction *d = &directions[link * 2 + (name[0] == 'd')];
	struct settings set = d->set;
	for (char *word = strtok(words + used, " "); word; word = strtok(NULL, " ")) {
		char *value = strchr(word, '='), *end = NULL;
		double number = value ? strtod(value + 1, &end) : -1;
		size_t i = 0;
		while (i < sizeof keys / sizeof *keys && (!value || strncmp(word, keys[i].name, (size_t)(value - word)) || keys[i].name[value - word]))
			i++;
		if (i == sizeof keys / sizeof *keys || end == value + 1 || *end || !(number >= 0 && number <= keys[i].most)) {
			printf("error: unknown key or bad value: %s\n", word);
			return;
		}
		memcpy((char *)&set + keys[i].offset, &number, sizeof number);
	}
	/* What went by until now went by the old settings. */
	advance(d, read_clock(CLOCK_MONOTONIC));
	d->set = set;
	if (set.block > 0)
		discard(d);
	printf("ok\n");
}

/* Obeys what stands on standard input; false at its end. */
static int obey(void)
{
	static char text[4096];
	static size_t used;
	ssize_t length = read(STDIN_FILENO, text + used, sizeof text - used);
	if (length <= 0)
		return length < 0 && errno == EAGAIN;
	used += (size_t)length;
	for (char *end; (end = memchr(text, '\n', used));) {
		*end = 0;
		if (strncmp(text, "set ", 4) == 0)
			change(text + 4);
		else if (strcmp(text, "get") == 0)
			print_counters();
		else
			printf("error: unknown command: %s\n", text);
		used -= (size_t)(end + 1 - text);
		memmove(text, end + 1, used);
	}
	fflush(stdout);
	return used < sizeof text;
}

static uint64_t next_due(void)
{
	uint64_t due = UINT64_MAX;
	for (int i = 0; i < count; i++) {
		const struct direction *d = &directions[i];
		uint64_t mine = UINT64_MAX;
		if (d->line.first)
			mine = d->line.first->time;
		if (d->waiting.first && d->free_at < mine)
			mine = d->free_at;
		if (mine < due)
			due = mine;
	}
	return due;
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
		uint64_t due = next_due(), wait = due > now ? due - now : 0;
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
