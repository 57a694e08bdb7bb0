/*
 * knock: who can reach whom. All lines are JSON.
 *
 *   knock listen PORT            takes TCP connections and UDP datagrams to PORT on every address, IPv4 and IPv6. It tells each
 *                                {"kind":"tcp","to":"ADDRESS"} and answers "hello", after {"listening":PORT}
 *   knock tcp ADDRESS PORT       connects, and says how that ended
 *   knock udp ADDRESS PORT       sends a datagram, and says whether one came back
 *   knock flood ADDRESS PORT N   opens N connections, sends nothing, prints {"open":N}, holds them until its input ends
 * Before them: --bind ADDRESS, --send HEX (what is sent first; nothing by default), --limit SECONDS (default 4).
 *
 * A knock's line is {"end":"…","said":"…"}: end is answered, closed, reset, refused, unreachable, silent, or an errno; said is what came.
 * Status 0 if it was answered.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *from;
static unsigned char first[512];
static size_t first_size;
static int limit_ms = 4000;

static socklen_t address(const char *text, int port, struct sockaddr_storage *into)
{
	struct sockaddr_in *four = (void *)into;
	struct sockaddr_in6 *six = (void *)into;
	memset(into, 0, sizeof *into);
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		return sizeof *four;
	}
	if (inet_pton(AF_INET6, text, &six->sin6_addr) != 1)
		errx(2, "%s is no address", text);
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	return sizeof *six;
}

static void text_of(const struct in6_addr *six, char *into, size_t size)
{
	if (IN6_IS_ADDR_V4MAPPED(six))
		inet_ntop(AF_INET, (const char *)six + 12, into, size);
	else
		inet_ntop(AF_INET6, six, into, size);
}

static int opened(int type, const char *to, int port, struct sockaddr_storage *peer, socklen_t *size)
{
	*size = address(to, port, peer);
	int fd = socket(peer->ss_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		err(2, "socket");
	if (from) {
		struct sockaddr_storage own;
		socklen_t own_size = address(from, 0, &own);
		if (bind(fd, (void *)&own, own_size))
			err(2, "%s", from);
	}
	return fd;
}

static int finish(const char *end, const char *said)
{
	printf("{\"end\":\"%s\",\"said\":\"%s\"}\n", end, said);
	return strcmp(end, "answered") != 0;
}

static const char *why(int error)
{
	switch (error) {
	case ECONNREFUSED: return "refused";
	case ECONNRESET: case EPIPE: return "reset";
	case EHOSTUNREACH: case ENETUNREACH: case EACCES: case EPERM: return "unreachable";
	case EAGAIN: case EINPROGRESS: case ETIMEDOUT: return "silent";
	default: return strerrorname_np(error);
	}
}

static int knock(int type, const char *to, int port)
{
	struct sockaddr_storage peer;
	socklen_t size;
	int fd = opened(type | SOCK_NONBLOCK, to, port, &peer, &size), error = 0;
	struct pollfd ready = { fd, POLLOUT, 0 };
	if (connect(fd, (void *)&peer, size) && errno != EINPROGRESS)
		return finish(why(errno), "");
	if (poll(&ready, 1, limit_ms) == 0)
		return finish("silent", "");
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){ sizeof error });
	if (error)
		return finish(why(error), "");
	if ((first_size > 0 || type == SOCK_DGRAM) && send(fd, first, first_size, MSG_NOSIGNAL) < 0)
		return finish(why(errno), "");
	ready.events = POLLIN;
	if (poll(&ready, 1, limit_ms) == 0)
		return finish("silent", "");
	char said[64];
	ssize_t got = recv(fd, said, sizeof said - 1, 0);
	if (got < 0)
		return finish(why(errno), "");
	if (got == 0)
		return finish("closed", "");
	said[got] = 0;
	said[strcspn(said, "\n")] = 0;
	return finish("answered", said);
}

static int flood(const char *to, int port, int many)
{
	int open = 0;
	for (int i = 0; i < many; i++) {
		struct sockaddr_storage peer;
		socklen_t size;
		int fd = opened(SOCK_STREAM, to, port, &peer, &size);
		struct timeval patience = { limit_ms / 1000, limit_ms % 1000 * 1000 };
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
		if (connect(fd, (void *)&peer, size))
			break;
		if (first_size > 0 && send(fd, first, first_size, MSG_NOSIGNAL) < 0)
			break;
		open++;
	}
	printf("{\"open\":%d}\n", open);
	fflush(stdout);
	while (read(0, &(char){ 0 }, 1) > 0)
		;
	return 0;
}

static void hear(const char *kind, const struct in6_addr *to)
{
	char text[INET6_ADDRSTRLEN];
	text_of(to, text, sizeof text);
	printf("{\"kind\":\"%s\",\"to\":\"%s\"}\n", kind, text);
	fflush(stdout);
}

#define MOST 4096
/* The listeners, and the connections until their other side ends them. */
static struct pollfd open_now[2 + MOST];
static int open_count = 2;

static void hear_connection(int listener)
{
	struct sockaddr_in6 own;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	if (getsockname(fd, (void *)&own, &(socklen_t){ sizeof own }) == 0)
		hear("tcp", &own.sin6_addr);
	if (send(fd, "hello\n", 6, MSG_NOSIGNAL) < 0)
		warn("send");
	if (open_count < 2 + MOST)
		open_now[open_count++] = (struct pollfd){ fd, POLLIN, 0 };
	else
		close(fd);
}

static void hear_datagram(int fd)
{
	char data[2048], room[256];
	struct sockaddr_in6 peer;
	struct iovec part = { data, sizeof data };
	struct msghdr message = { &peer, sizeof peer, &part, 1, room, sizeof room, 0 };
	if (recvmsg(fd, &message, 0) < 0)
		return;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_PKTINFO)
			continue;
		struct in6_pktinfo *info = (void *)CMSG_DATA(c);
		hear("udp", &info->ipi6_addr);
		/* Answered from the address that was asked; the device is the route's. */
		info->ipi6_ifindex = 0;
	}
	part = (struct iovec){ "hello\n", 6 };
	if (sendmsg(fd, &message, 0) < 0)
		warn("sendmsg");
}

static int listen_on(int port)
{
	int fds[2] = { socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	for (int i = 0; i < 2; i++) {
		setsockopt(fds[i], SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
		setsockopt(fds[i], IPPROTO_IPV6, IPV6_V6ONLY, &(int){ 0 }, sizeof(int));
		if (bind(fds[i], (void *)&any, sizeof any))
			err(2, "port %d", port);
	}
	setsockopt(fds[1], IPPROTO_IPV6, IPV6_RECVPKTINFO, &(int){ 1 }, sizeof(int));
	if (listen(fds[0], 1024))
		err(2, "listen");
	printf("{\"listening\":%d}\n", port);
	fflush(stdout);
	for (int i = 0; i < 2; i++)
		open_now[i] = (struct pollfd){ fds[i], POLLIN, 0 };
	for (;;) {
		char data[2048];
		if (poll(open_now, open_count, -1) < 0)
			err(2, "poll");
		for (int i = open_count - 1; i > 1; i--) {
			if (!open_now[i].revents || recv(open_now[i].fd, data, sizeof data, MSG_DONTWAIT) > 0)
				continue;
			close(open_now[i].fd);
			open_now[i] = open_now[--open_count];
		}
		if (open_now[0].revents)
			hear_connection(fds[0]);
		if (open_now[1].revents)
			hear_datagram(fds[1]);
	}
}

int main(int argc, char **argv)
{
	int at = 1;
	for (; at + 1 < argc && !strncmp(argv[at], "--", 2); at += 2) {
		if (!strcmp(argv[at], "--bind"))
			from = argv[at + 1];
		else if (!strcmp(argv[at], "--limit"))
			limit_ms = (int)(atof(argv[at + 1]) * 1000);
		else if (!strcmp(argv[at], "--send"))
			for (const char *hex = argv[at + 1]; hex[0] && hex[1] && first_size < sizeof first; hex += 2)
				first[first_size++] = (unsigned char)strtoul((char[]){ hex[0], hex[1], 0 }, NULL, 16);
		else
			return 2;
	}
	argv += at;
	argc -= at;
	if (argc == 2 && !strcmp(argv[0], "listen"))
		return listen_on(atoi(argv[1]));
	if (argc == 3 && !strcmp(argv[0], "tcp"))
		return knock(SOCK_STREAM, argv[1], atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[0], "udp"))
		return knock(SOCK_DGRAM, argv[1], atoi(argv[2]));
	if (argc == 4 && !strcmp(argv[0], "flood"))
		return flood(argv[1], atoi(argv[2]), atoi(argv[3]));
	errx(2, "usage: see the head of knock.c");
}
