/* The UDP client of flow. */
#define _GNU_SOURCE
#include "flow.h"

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void print_delays(const char *name, double *values, size_t count)
{
	if (!count) {
		printf(",\"%s\":null", name);
		return;
	}
	qsort(values, count, sizeof *values, by_value);
	printf(",\"%s\":{\"least\":%.3f,\"median\":%.3f,\"p99\":%.3f,\"most\":%.3f}", name, values[0], values[count / 2], values[count * 99 / 100], values[count - 1]);
}

int udp(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)want.port) }, from = { .sin_family = AF_INET };
	double seconds = want.seconds > 0 ? want.seconds : 10;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), big = 4 << 20;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof big);
	if (inet_pton(AF_INET, want.to, &to.sin_addr) != 1 || (want.bind && inet_pton(AF_INET, want.bind, &from.sin_addr) != 1))
		errx(2, "not an address: %s", want.to);
	if ((want.bind && bind(fd, (struct sockaddr *)&from, sizeof from) != 0) || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
		err(1, "cannot open a socket to %s", want.to);
	size_t payload = want.size - 28;
	u64 gap = (u64)((double)want.size * 8e9 / want.rate), begun = now_ns(), sending_ends = begun + (u64)(seconds * 1e9), ends = sending_ends + 1000000000u;
	u64 most = (u64)(seconds * 1e9) / gap + 2, sent = 0, refused = 0, echoed = 0, doubled = 0, reordered = 0, up_received = 0, highest = 0;
	u64 last_echo = begun, longest = 0;
	double *up = calloc(most, sizeof *up), *down = calloc(most, sizeof *down), *round = calloc(most, sizeof *round);
	uint8_t *seen = calloc(most, 1), buffer[2048] = { 0 };
	if (want.size < 60 || payload > UDP_MOST || !up || !down || !round || !seen)
		errx(2, "--size must be 60 to %d", UDP_MOST + 28);
	struct epoll_event event = { .events = EPOLLIN };
	epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
	for (;;) {
		u64 now = now_ns();
		while (now < sending_ends && now >= begun + sent * gap && sent < most) {
			struct probe probe = { .number = sent++, .sent = now_ns() };
			memcpy(buffer, &probe, sizeof probe);
			if (send(fd, buffer, payload, 0) < 0)
				refused++;
		}
		ssize_t n;
		while ((n = recv(fd, buffer, sizeof buffer, 0)) >= (ssize_t)sizeof(struct probe)) {
			struct probe probe;
			u64 at = now_ns();
			memcpy(&probe, buffer, sizeof probe);
			if (probe.number >= sent || (size_t)n != payload)
				continue;
			if (seen[probe.number]++) {
				doubled++;
				continue;
			}
			if (at < sending_ends && at - last_echo > longest)
				longest = at - last_echo;
			last_echo = at;
			up[echoed] = span(probe.sent, probe.at_server) * 1e3;
			down[echoed] = span(probe.at_server, at) * 1e3;
			round[echoed++] = span(probe.sent, at) * 1e3;
			if (probe.number + 1 < highest)
				reordered++;
			else
				highest = probe.number + 1;
			if (probe.received > up_received)
				up_received = probe.received;
		}
		if (now >= ends || (now >= sending_ends && echoed == sent))
			break;
		u64 next = now < sending_ends ? begun + sent * gap : ends;
		struct timespec wait = { 0, 0 };
		u64 left = next > now_ns() ? next - now_ns() : 0;
		wait.tv_sec = (time_t)(left / 1000000000u);
		wait.tv_nsec = (long)(left % 1000000000u);
		epoll_pwait2(poller, &event, 1, &wait, NULL);
	}
	if (!echoed || (last_echo < sending_ends && sending_ends - last_echo > longest))
		longest = sending_ends - last_echo;
	printf("{\"sent\":%llu,\"echoed\":%llu,\"lost\":%llu,\"lost_up\":%llu,\"reordered\":%llu,\"doubled\":%llu,\"refused\":%llu,\"longest_silence_ms\":%.3f", sent, echoed,
	       sent - echoed, sent - up_received, reordered, doubled, refused, (double)longest / 1e6);
	print_delays("up_ms", up, echoed);
	print_delays("down_ms", down, echoed);
	print_delays("round_ms", round, echoed);
	printf("}\n");
	return echoed == 0;
}
