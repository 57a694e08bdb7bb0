/* A connection of either end of flow: what goes over it, and how it ends. */
#define _GNU_SOURCE
#include "flow.h"

#include <err.h>
#include <errno.h>
#include <linux/mptcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif

u64 now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

double span(u64 from, u64 to)
{
	return to > from ? (double)(to - from) / 1e9 : 0;
}

/* Chunk n of seed s is xorshift64 started from a hash of both. */
static void fill_chunk(u64 seed, u64 number, uint8_t *to)
{
	u64 x = (seed + 1) * 0x9e3779b97f4a7c15u ^ (number + 1) * 0xbf58476d1ce4e5b9u;
	x ^= x >> 31;
	x |= 1;
	for (int i = 0; i < CHUNK; i += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(to + i, &x, 8);
	}
}

/* The contents from `offset` on: a pointer into a buffer, good until the next call, with at least PIECE - CHUNK bytes behind it. */
static const uint8_t *contents(u64 seed, u64 offset, size_t length)
{
	static uint8_t piece[PIECE];
	u64 first = offset / CHUNK, last = (offset + (length ? length - 1 : 0)) / CHUNK;
	for (u64 i = first; i <= last; i++)
		fill_chunk(seed, i, piece + (i - first) * CHUNK);
	return piece + offset % CHUNK;
}

void watch(struct connection *c, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = c };
	if (epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event) != 0 && epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event) != 0)
		err(1, "epoll_ctl");
}

const char *name_error(int number)
{
	switch (number) {
	case ECONNRESET:
	case EPIPE: return "reset";
	case ECONNREFUSED: return "refused";
	case EHOSTUNREACH:
	case ENETUNREACH: return "unreachable";
	case ETIMEDOUT: return "silent";
	default: return strerrorname_np(number);
	}
}

void finish(struct connection *c, const char *how)
{
	if (c->state == DONE)
		return;
	struct mptcp_info info;
	socklen_t size = sizeof info;
	/* A connection that fell back to TCP refuses the question (EOPNOTSUPP). */
	c->mptcp = getsockopt(c->fd, SOL_MPTCP, MPTCP_INFO, &info, &size) == 0;
	snprintf(c->end, sizeof c->end, "%s", how);
	c->state = DONE;
	c->finished = now_ns();
	close(c->fd);
	c->fd = -1;
}

/* Sends contents until the socket is full; true when all of them are sent. */
int push(struct connection *c)
{
	for (;;) {
		u64 stop = c->total;
		if (c->reset_at && c->reset_at < stop)
			stop = c->reset_at;
		if (c->close_at && c->close_at < stop)
			stop = c->close_at;
		u64 left = stop - c->moved;
		if (!left)
			return 1;
		size_t size = left < PIECE - CHUNK ? (size_t)left : PIECE - CHUNK;
		ssize_t n = send(c->fd, contents(c->seed, c->moved, size), size, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0) {
			if (errno != EAGAIN)
				finish(c, name_error(errno));
			return 0;
		}
		c->moved += (u64)n;
		/* What the socket did not take was made for nothing; wait for room. */
		if ((size_t)n < size)
			return 0;
	}
}

/* Receives and compares contents; 0 at the end of file, 1 while there may be more, -1 on an error. */
int pull(struct connection *c)
{
	static uint8_t buffer[PIECE - CHUNK];
	for (int rounds = 0; rounds < 16; rounds++) {
		ssize_t n = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
		if (n == 0)
			return 0;
		if (n < 0) {
			if (errno == EAGAIN)
				return 1;
			finish(c, name_error(errno));
			return -1;
		}
		if (!c->first)
			c->first = now_ns();
		if (memcmp(buffer, contents(c->seed, c->moved, (size_t)n), (size_t)n) != 0)
			c->bad = 1;
		c->moved += (u64)n;
		if (c->total && c->moved >= c->total)
			return 1;
	}
	return 1;
}

/* Reads one line byte by byte, so that nothing behind it is taken; true when it is whole. */
int read_line(struct connection *c)
{
	char byte;
	for (;;) {
		ssize_t n = recv(c->fd, &byte, 1, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0 || c->line_used == sizeof c->line - 1) {
			finish(c, n < 0 ? name_error(errno) : "early");
			return 0;
		}
		if (byte == '\n') {
			c->line[c->line_used] = 0;
			c->line_used = 0;
			return 1;
		}
		c->line[c->line_used++] = byte;
	}
}

int say(struct connection *c, const char *text)
{
	if (send(c->fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text))
		return 1;
	finish(c, name_error(errno));
	return 0;
}

void abort_connection(struct connection *c)
{
	struct linger now = { 1, 0 };
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	finish(c, "reset");
}
