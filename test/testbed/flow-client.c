/* The clients of flow over TCP: downloads, uploads, connections per second. */
#define _GNU_SOURCE
#include "flow.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* Set by SIGINT. */
static volatile sig_atomic_t enough;

static void on_enough(int number)
{
	(void)number;
	enough = 1;
}

static void client_open(struct connection *c, int upload, u64 seed)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)want.port) }, from = { .sin_family = AF_INET };
	*c = (struct connection){ .upload = upload, .seed = seed, .total = want.bytes, .reset_at = want.reset_at, .close_at = want.close_at };
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, want.mptcp ? IPPROTO_MPTCP : 0);
	if (c->fd < 0)
		err(1, "socket");
	if (inet_pton(AF_INET, want.to, &to.sin_addr) != 1 || (want.bind && inet_pton(AF_INET, want.bind, &from.sin_addr) != 1))
		errx(2, "not an address: %s", want.to);
	if (want.bind && bind(c->fd, (struct sockaddr *)&from, sizeof from) != 0)
		err(1, "cannot bind to %s", want.bind);
	c->begun = now_ns();
	c->until = want.seconds > 0 ? c->begun + (u64)(want.seconds * 1e9) : 0;
	c->give_up = c->begun + (u64)((want.limit + want.seconds) * 1e9);
	c->state = CONNECTING;
	watch(c, EPOLLOUT);
	if (connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
		finish(c, name_error(errno));
}

static void client_step(struct connection *c)
{
	if (c->state == CONNECTING) {
		int problem = 0;
		socklen_t size = sizeof problem;
		char text[LINE];
		getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &problem, &size);
		if (problem) {
			finish(c, name_error(problem));
			return;
		}
		u64 total = c->total ? c->total : 1ull << 62;
		snprintf(text, sizeof text, "%s %llu %llu %llu %llu %llu\n", c->upload ? "put" : "get", total, c->until, c->seed, c->reset_at, c->close_at);
		if (!say(c, text))
			return;
		c->state = REQUESTING;
		watch(c, EPOLLIN);
	}
	if (c->state == REQUESTING) {
		if (!read_line(c))
			return;
		snprintf(c->peer, sizeof c->peer, "%.63s", c->line);
		c->total = c->total ? c->total : 1ull << 62;
		c->state = c->upload ? SENDING : RECEIVING;
		watch(c, c->upload ? EPOLLIN | EPOLLOUT : EPOLLIN);
	}
	if (c->state == RECEIVING) {
		int more = pull(c);
		if (more >= 0 && c->moved >= c->total)
			finish(c, "complete");
		else if (more == 0)
			finish(c, "early");
	}
	if (c->state == SENDING && push(c)) {
		c->state = AWAITING;
		watch(c, EPOLLIN);
	}
	if (c->state == AWAITING && read_line(c)) {
		u64 received, at;
		if (sscanf(c->line, "%llu %llu %d", &received, &at, &c->bad) != 3) {
			finish(c, "bad answer");
			return;
		}
		c->moved = received;
		finish(c, c->until ? "time" : "complete");
		c->finished = at;
	}
}

static void client_expire(struct connection *c, u64 now)
{
	if (c->state == DONE)
		return;
	/* Only what downloads may end early: of an upload the server was told the end. */
	if (enough && c->until && !c->upload)
		c->until = now;
	if (now >= c->give_up)
		finish(c, "silent");
	else if (c->until && now >= c->until && !c->upload)
		finish(c, c->state == RECEIVING ? "time" : "silent");
	/* The server counts what reached it until then, and says so. */
	else if (c->until && now >= c->until && c->state == SENDING) {
		c->state = AWAITING;
		watch(c, EPOLLIN);
	}
}

static int fine(const struct connection *c)
{
	return !c->bad && (!strcmp(c->end, "complete") || !strcmp(c->end, "time"));
}

static void print_one(const struct connection *c)
{
	double seconds = c->until && !strcmp(c->end, "time") && !enough ? want.seconds : span(c->begun, c->finished);
	printf("{\"bytes\":%llu,\"seconds\":%.6f,\"bps\":%.0f,\"first_byte_ms\":", c->moved, seconds, seconds > 0 ? (double)c->moved * 8 / seconds : 0);
	if (c->first)
		printf("%.3f", span(c->begun, c->first) * 1e3);
	else
		printf("null");
	printf(",\"content\":\"%s\",\"end\":\"%s\",\"peer\":\"%s\",\"mptcp\":%s}\n", c->bad ? "bad" : "good", c->end, c->peer, c->mptcp ? "true" : "false");
}

static void print_many(const struct connection *all, int count, u64 begun)
{
	u64 bytes = 0, last = begun;
	int bad = 0, good = 0;
	for (int i = 0; i < count; i++) {
		bytes += all[i].moved;
		bad += all[i].bad;
		good += fine(&all[i]);
		if (all[i].finished > last)
			last = all[i].finished;
	}
	double seconds = want.seconds > 0 && !enough ? want.seconds : span(begun, last);
	printf("{\"connections\":%d,\"fine\":%d,\"bytes\":%llu,\"seconds\":%.6f,\"bps\":%.0f,\"last_seconds\":%.6f,\"content\":\"%s\",\"ends\":{", count, good,
	       bytes, seconds, seconds > 0 ? (double)bytes * 8 / seconds : 0, span(begun, last), bad ? "bad" : "good");
	for (int i = 0, any = 0; i < count; i++) {
		int same = 0, before = 0;
		for (int j = 0; j < count; j++)
			if (!strcmp(all[i].end, all[j].end))
				same++, before += j < i;
		if (!before)
			printf("%s\"%s\":%d", any++ ? "," : "", all[i].end, same);
	}
	printf("}}\n");
}

/* Moves all connections to their ends. `again` is called for one that ended, and may start it anew. */
static void drive(struct connection *all, int count, u64 begun, int (*again)(struct connection *))
{
	int open = count;
	u64 next_line = begun + want.interval * 1000000;
	for (int i = 0; i < count; i++)
		if (all[i].state == DONE)
			open--;
	while (open > 0) {
		struct epoll_event events[64];
		int n = epoll_wait(poller, events, 64, 5);
		u64 now = now_ns();
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;
			client_expire(c, now);
			if (c->state != DONE)
				client_step(c);
		}
		open = 0;
		u64 bytes = 0;
		for (int i = 0; i < count; i++) {
			client_expire(&all[i], now);
			if (all[i].state == DONE && again)
				again(&all[i]);
			open += all[i].state != DONE;
			bytes += all[i].moved;
		}
		if (want.interval && now >= next_line) {
			printf("{\"at\":%.3f,\"bytes\":%llu}\n", span(begun, now), bytes);
			fflush(stdout);
			next_line += want.interval * 1000000;
		}
	}
}

int transfer(int upload)
{
	struct connection *all = calloc((size_t)want.parallel, sizeof *all);
	int failed = 0;
	if (!want.bytes && want.seconds <= 0)
		want.seconds = 10;
	if (!upload)
		signal(SIGINT, on_enough);
	for (int round = 0; round < want.repeat; round++) {
		u64 begun = now_ns();
		for (int i = 0; i < want.parallel; i++)
			client_open(&all[i], upload, want.seed + (u64)(round * want.parallel + i));
		drive(all, want.parallel, begun, NULL);
		for (int i = 0; i < want.parallel; i++)
			failed |= !fine(&all[i]);
		if (want.parallel == 1)
			print_one(all);
		else
			print_many(all, want.parallel, begun);
		fflush(stdout);
	}
	return failed;
}

static u64 connections_end, connections_made, connections_failed;
static double first_sum, first_most;

static int connect_again(struct connection *c)
{
	if (c->end[0]) {
		if (fine(c)) {
			double ms = span(c->begun, c->first) * 1e3;
			connections_made++;
			first_sum += ms;
			first_most = ms > first_most ? ms : first_most;
		} else {
			connections_failed++;
		}
		c->end[0] = 0;
	}
	if (now_ns() < connections_end)
		client_open(c, 0, 0);
	return 0;
}

int connects(void)
{
	struct connection *all = calloc((size_t)want.parallel, sizeof *all);
	double seconds = want.seconds > 0 ? want.seconds : 10;
	u64 begun = now_ns();
	want.seconds = 0;
	want.bytes = 1;
	connections_end = begun + (u64)(seconds * 1e9);
	for (int i = 0; i < want.parallel; i++)
		client_open(&all[i], 0, 0);
	drive(all, want.parallel, begun, connect_again);
	printf("{\"connections\":%llu,\"failed\":%llu,\"seconds\":%.3f,\"per_second\":%.1f,\"first_byte_ms_mean\":%.3f,\"first_byte_ms_most\":%.3f}\n",
	       connections_made, connections_failed, span(begun, now_ns()), (double)connections_made / span(begun, now_ns()),
	       connections_made ? first_sum / (double)connections_made : 0, first_most);
	return connections_failed > 0;
}
