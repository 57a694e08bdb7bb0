/* UDP over IPv4. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "native.h"

#define LARGEST 65536

static bool address_of(JSContext *ctx, JSValueConst host, JSValueConst port, struct sockaddr_in *address)
{
	const char *text = text_of(ctx, host);
	uint32_t number;
	int read;

	if (text == NULL)
		return false;
	*address = (struct sockaddr_in){ .sin_family = AF_INET };
	read = inet_pton(AF_INET, text, &address->sin_addr);
	if (read != 1)
		throw_errno(ctx, EINVAL, "address", text);
	JS_FreeCString(ctx, text);
	if (read != 1 || JS_ToUint32(ctx, &number, port) < 0)
		return false;
	address->sin_port = htons((uint16_t)number);
	return true;
}

static JSValue bind_udp(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	struct sockaddr_in address;
	JSValue answer;
	int fd;

	(void)this_value, (void)argc;
	if (!address_of(ctx, argv[0], argv[1], &address))
		return JS_EXCEPTION;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return throw_errno(ctx, errno, "socket", NULL);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return JS_NewInt32(ctx, fd);
	answer = throw_errno(ctx, errno, "bind", inet_ntoa(address.sin_addr));
	close(fd);
	return answer;
}

static JSValue local_port(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);
	int32_t fd;

	(void)this_value, (void)argc;
	if (JS_ToInt32(ctx, &fd, argv[0]) < 0)
		return JS_EXCEPTION;
	if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		return throw_errno(ctx, errno, "getsockname", NULL);
	return JS_NewInt32(ctx, ntohs(address.sin_port));
}

/* sendTo(fd, bytes, address, port): false if there is no room now. */
static JSValue send_to(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	struct sockaddr_in address;
	size_t size;
	const uint8_t *bytes = bytes_of(ctx, argv[1], &size);
	ssize_t count;
	int32_t fd;

	(void)this_value, (void)argc;
	if (bytes == NULL || JS_ToInt32(ctx, &fd, argv[0]) < 0 || !address_of(ctx, argv[2], argv[3], &address))
		return JS_EXCEPTION;
	do
		count = sendto(fd, bytes, size, 0, (struct sockaddr *)&address, sizeof(address));
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return errno == EAGAIN ? JS_FALSE : throw_errno(ctx, errno, "send", inet_ntoa(address.sin_addr));
	return JS_TRUE;
}

/* receive(fd): undefined if there is none now, an error of the socket included: it belongs to a datagram that was sent. */
static JSValue receive(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	static uint8_t datagram[LARGEST];
	char text[INET_ADDRSTRLEN] = "";
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	JSValue answer;
	ssize_t size;
	int32_t fd;

	(void)this_value, (void)argc;
	if (JS_ToInt32(ctx, &fd, argv[0]) < 0)
		return JS_EXCEPTION;
	do
		size = recvfrom(fd, datagram, sizeof(datagram), 0, (struct sockaddr *)&from, &length);
	while (size < 0 && errno == EINTR);
	if (size < 0)
		return JS_UNDEFINED;
	inet_ntop(AF_INET, &from.sin_addr, text, sizeof(text));
	answer = JS_NewObject(ctx);
	JS_SetPropertyStr(ctx, answer, "bytes", bytes_new(ctx, datagram, (size_t)size));
	JS_SetPropertyStr(ctx, answer, "address", JS_NewString(ctx, text));
	JS_SetPropertyStr(ctx, answer, "port", JS_NewInt32(ctx, ntohs(from.sin_port)));
	return answer;
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("bindUdp", 2, bind_udp), JS_CFUNC_DEF("localPort", 1, local_port),
	JS_CFUNC_DEF("sendTo", 4, send_to),   JS_CFUNC_DEF("receive", 1, receive),
};
PART(udp_part, functions);
