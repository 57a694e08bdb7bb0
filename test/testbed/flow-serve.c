/* The server of flow: downloads, uploads and echoes on one port. */
#define _GNU_SOURCE
#include "flow.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

enum { SOURCES = 256 };

static void report_upload(struct connection *c)
{
	char text[LINE];
	snprintf(text, sizeof text, "%llu %llu %d\n", c->moved, now_ns(), c->bad);
	if (!say(c, text))
		return;
	/* What still comes is taken, and dropped: closing over it would be a reset, which may overtake the report. */
	c->state = AWAITING;
	watch(c, EPOLLIN);
}

/* Uploads that run for a time; at its end the server reports what it has, whether or not more comes. */
static struct connection *timed;

static void forget(struct connection *c)
{
	struct connection **at = &timed;
	while (*at && *at != c)
		at = &(*at)->next_timed;
	if (*at)
		*at = c->next_timed;
	free(c);
}

/* Reports the uploads whose time is up; answers the milliseconds until the next one's is, -1 if there is none. */
static int expire_uploads(void)
{
	u64 now = now_ns();
	int wait = -1;
	for (struct connection *c = timed, *next; c; c = next) {
		next = c->next_timed;
		if (c->state == RECEIVING && now >= c->until)
			report_upload(c);
		if (c->state == DONE) {
			forget(c);
			continue;
		}
		if (c->state == AWAITING)
			continue;
		int mine = (int)((c->until - now) / 1000000);
		if (wait < 0 || mine < wait)
			wait = mine;
	}
	return wait;
}

static void serve_request(struct connection *c)
{
	char kind[8], text[LINE];
	if (sscanf(c->line, "%7s %llu %llu %llu %llu %llu", kind, &c->total, &c->until, &c->seed, &c->reset_at, &c->close_at) != 6) {
		finish(c, "bad request");
		return;
	}
	c->upload = kind[0] == 'p';
	snprintf(text, sizeof text, "%s\n", c->peer);
	if (!say(c, text))
		return;
	c->state = c->upload ? RECEIVING : SENDING;
	if (c->upload && c->until) {
		c->next_timed = timed;
		timed = c;
	}
	watch(c, c->upload ? EPOLLIN : EPOLLOUT | EPOLLRDHUP);
}

static void serve_step(struct connection *c)
{
	if (c->state == REQUESTING) {
		if (read_line(c))
			serve_request(c);
	} else if (c->state == SENDING) {
		if (!push(c))
			return;
		if (c->reset_at && c->moved == c->reset_at) {
			abort_connection(c);
		} else {
			shutdown(c->fd, SHUT_WR);
			c->state = AWAITING;
			watch(c, EPOLLIN);
		}
	} else if (c->state == AWAITING) {
		/* The client closes when it has all. */
		static char rest[65536];
		ssize_t n = recv(c->fd, rest, sizeof rest, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			finish(c, "complete");
	} else if (c->state == RECEIVING) {
		int more = c->until && now_ns() >= c->until ? 0 : pull(c);
		if (more == 0 || (more == 1 && c->total && c->moved >= c->total))
			report_upload(c);
	}
}

struct source {
	struct sockaddr_in address;
	u64 received;
};

static void echo(int fd)
{
	static struct source sources[SOURCES];
	uint8_t buffer[2048];
	for (;;) {
		struct sockaddr_in from;
		socklen_t size = sizeof from;
		ssize_t n = recvfrom(fd, buffer, sizeof buffer, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
		if (n < 0)
			return;
		struct probe probe;
		if ((size_t)n >= sizeof probe) {
			memcpy(&probe, buffer, sizeof probe);
			struct source *source = &sources[(ntohs(from.sin_port) ^ ntohl(from.sin_addr.s_addr)) % SOURCES];
			if (memcmp(&source->address, &from, sizeof from) != 0 || probe.number == 0)
				*source = (struct source){ from, 0 };
			probe.received = ++source->received;
			probe.at_server = now_ns();
			memcpy(buffer, &probe, sizeof probe);
		}
		sendto(fd, buffer, (size_t)n, MSG_DONTWAIT, (struct sockaddr *)&from, size);
	}
}

int serve(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)want.port) };
	int yes = 1, big = 4 << 20, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, want.mptcp ? IPPROTO_MPTCP : 0);
	int udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (want.bind && inet_pton(AF_INET, want.bind, &address.sin_addr) != 1)
		errx(2, "not an address: %s", want.bind);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof big);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4096) != 0 ||
	    bind(udp, (struct sockaddr *)&address, sizeof address) != 0)
		err(1, "cannot listen on port %d", want.port);
	struct connection listening = { .fd = listener }, datagrams = { .fd = udp };
	watch(&listening, EPOLLIN);
	watch(&datagrams, EPOLLIN);
	printf("{\"listening\":%d}\n", want.port);
	fflush(stdout);
	for (;;) {
		struct epoll_event events[64];
		int n = epoll_wait(poller, events, 64, expire_uploads());
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;
			if (c == &datagrams) {
				echo(udp);
				continue;
			}
			if (c == &listening) {
				struct sockaddr_in from;
				socklen_t size = sizeof from;
				int fd = accept4(listener, (struct sockaddr *)&from, &size, SOCK_NONBLOCK);
				if (fd < 0)
					continue;
				struct connection *new = calloc(1, sizeof *new);
				char text[32];
				snprintf(new->peer, sizeof new->peer, "%s:%d", inet_ntop(AF_INET, &from.sin_addr, text, sizeof text), ntohs(from.sin_port));
				new->fd = fd;
				new->state = REQUESTING;
				watch(new, EPOLLIN);
				continue;
			}
			if (c->state == SENDING && events[i].events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP))
				finish(c, "early");
			else
				serve_step(c);
			if (c->state == DONE)
				forget(c);
		}
	}
}
