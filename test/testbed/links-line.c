/* One direction of a line: queue, serialiser, loss, delay. It knows no device and no clock. */
#include "links.h"

#include <err.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>

static struct frame *spare;

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

void release(struct frame *frame)
{
	frame->next = spare;
	spare = frame;
}

static uint64_t serialise_time(const struct direction *d, uint32_t length)
{
	return d->set.rate > 0 ? (uint64_t)(length * 8e9 / d->set.rate) : 0;
}

/* Brings the serialiser to `now`: what it began to send by then is on the line or lost. */
void advance(struct direction *d, uint64_t now)
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

void discard(struct direction *d)
{
	struct list *lists[] = { &d->waiting, &d->line };
	for (int i = 0; i < 2; i++)
		while (lists[i]->first) {
			release(take(lists[i]));
			d->count.block++;
		}
	d->queued = 0;
}

void arrive(struct direction *d, const uint8_t *bytes, uint32_t length, uint64_t time)
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

/* The next frame that has left the line by `now`; NULL if there is none. */
struct frame *take_due(struct direction *d, uint64_t now)
{
	return d->line.first && d->line.first->time <= now ? take(&d->line) : NULL;
}

/* When something may happen next. */
uint64_t next_due(const struct direction *d)
{
	uint64_t due = d->line.first ? d->line.first->time : UINT64_MAX;
	return d->waiting.first && d->free_at < due ? d->free_at : due;
}
