/* What is said to links on standard input, and its answers. */
#include "links.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

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

static void print_cpu(void)
{
	struct rusage used;
	getrusage(RUSAGE_SELF, &used);
	printf("%.6f\n", (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
}

/* Obeys what stands on standard input; false at its end. */
int obey(void)
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
		else if (strcmp(text, "cpu") == 0)
			print_cpu();
		else
			printf("error: unknown command: %s\n", text);
		used -= (size_t)(end + 1 - text);
		memmove(text, end + 1, used);
	}
	fflush(stdout);
	return used < sizeof text;
}
