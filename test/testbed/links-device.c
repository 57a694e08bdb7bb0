/* Frames from and to devices, without a system call for each. */
#define _GNU_SOURCE
#include "links.h"

#include <arpa/inet.h>
#include <err.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

enum { BLOCK = 1 << 16, BATCH = 64 };

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

void open_link(char *pair, uint64_t seed)
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

/* Takes all that the kernel has received for a direction; true if there was any. */
int drain(struct direction *d, uint64_t now, uint64_t wall_ahead)
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

void emit(struct direction *d, uint64_t now)
{
	for (;;) {
		struct mmsghdr messages[BATCH];
		struct iovec parts[BATCH];
		struct frame *frames[BATCH], *frame;
		int batch = 0;
		for (; batch < BATCH && (frame = take_due(d, now)); batch++) {
			frames[batch] = frame;
			parts[batch] = (struct iovec){ frame->bytes, frame->length };
			messages[batch] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &parts[batch], .msg_iovlen = 1 } };
		}
		if (!batch)
			return;
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
