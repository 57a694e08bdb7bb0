/* Descriptors: pipes, reads and writes that do not wait. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "native.h"

/* As much as a pipe holds. */
#define CHUNK 65536

void close_quietly(int fd)
{
	int former = errno;

	close(fd);
	errno = former;
}

bool write_all(int fd, const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t count = write(fd, bytes, size);

		if (count < 0 && errno == EAGAIN) {
			struct pollfd room = { .fd = fd, .events = POLLOUT };

			poll(&room, 1, -1);
		} else if (count < 0 && errno != EINTR) {
			return false;
		} else if (count > 0) {
			bytes += count;
			size -= (size_t)count;
		}
	}
	return true;
}

static int fd_of(JSContext *ctx, JSValueConst value)
{
	int32_t fd;

	return JS_ToInt32(ctx, &fd, value) < 0 ? -1 : fd;
}

static JSValue pipe_new(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	int ends[2];
	JSValue pair;

	(void)this_value, (void)argc, (void)argv;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return throw_errno(ctx, errno, "pipe", NULL);
	pair = JS_NewArray(ctx);
	JS_SetPropertyUint32(ctx, pair, 0, JS_NewInt32(ctx, ends[0]));
	JS_SetPropertyUint32(ctx, pair, 1, JS_NewInt32(ctx, ends[1]));
	return pair;
}

/* Of pipes only this process's end: its child expects to wait. */
static JSValue unblock(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	int fd = fd_of(ctx, argv[0]);

	(void)this_value, (void)argc;
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		return throw_errno(ctx, errno, "fcntl", NULL);
	return JS_UNDEFINED;
}

static JSValue open_to_append(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *path = text_of(ctx, argv[0]);
	uint32_t mode;
	JSValue answer;
	int fd;

	(void)this_value, (void)argc;
	if (path == NULL || JS_ToUint32(ctx, &mode, argv[1]) < 0) {
		JS_FreeCString(ctx, path);
		return JS_EXCEPTION;
	}
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, (mode_t)mode);
	answer = fd < 0 ? throw_errno(ctx, errno, "open", path) : JS_NewInt32(ctx, fd);
	JS_FreeCString(ctx, path);
	return answer;
}

static JSValue open_nothing(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)this_value, (void)argc, (void)argv;
	return fd < 0 ? throw_errno(ctx, errno, "open", "/dev/null") : JS_NewInt32(ctx, fd);
}

static JSValue close_descriptor(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	int fd = fd_of(ctx, argv[0]);

	(void)this_value, (void)argc;
	/* EINTR and the like: it is closed all the same on Linux. */
	close(fd);
	return JS_UNDEFINED;
}

static JSValue read_some(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	static uint8_t chunk[CHUNK];
	int fd = fd_of(ctx, argv[0]);
	ssize_t count;

	(void)this_value, (void)argc;
	do
		count = read(fd, chunk, sizeof(chunk));
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return errno == EAGAIN ? JS_UNDEFINED : throw_errno(ctx, errno, "read", NULL);
	return bytes_new(ctx, chunk, (size_t)count);
}

static JSValue write_some(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	int fd = fd_of(ctx, argv[0]);
	size_t size;
	const uint8_t *bytes = bytes_of(ctx, argv[1], &size);
	uint32_t offset;
	ssize_t count;

	(void)this_value, (void)argc;
	if (bytes == NULL || JS_ToUint32(ctx, &offset, argv[2]) < 0)
		return JS_EXCEPTION;
	if (offset > size)
		return JS_ThrowRangeError(ctx, "the offset is beyond the end");
	do
		count = write(fd, bytes + offset, size - offset);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return errno == EAGAIN ? JS_NewInt32(ctx, 0) : throw_errno(ctx, errno, "write", NULL);
	return JS_NewInt64(ctx, count);
}

/* For standard output and error. Nobody there to read it is no error: nothing more can be said to them. */
static JSValue write_whole(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	int fd = fd_of(ctx, argv[0]);
	size_t size;
	const uint8_t *bytes = bytes_of(ctx, argv[1], &size);

	(void)this_value, (void)argc;
	if (bytes == NULL)
		return JS_EXCEPTION;
	if (!write_all(fd, bytes, size) && errno != EPIPE)
		return throw_errno(ctx, errno, "write", NULL);
	return JS_UNDEFINED;
}

static JSValue is_terminal(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	(void)this_value, (void)argc;
	return JS_NewBool(ctx, isatty(fd_of(ctx, argv[0])));
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("pipe", 0, pipe_new),	     JS_CFUNC_DEF("unblock", 1, unblock),
	JS_CFUNC_DEF("openToAppend", 2, open_to_append), JS_CFUNC_DEF("openNothing", 0, open_nothing),
	JS_CFUNC_DEF("close", 1, close_descriptor),  JS_CFUNC_DEF("read", 1, read_some),
	JS_CFUNC_DEF("write", 3, write_some),	     JS_CFUNC_DEF("writeWhole", 2, write_whole),
	JS_CFUNC_DEF("isTerminal", 1, is_terminal),
};
PART(descriptors_part, functions);
