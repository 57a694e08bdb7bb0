/* Unix stream sockets. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "native.h"

/* As Node's: so many may wait to be accepted. */
#define BACKLOG 511

static int socket_new(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static bool address_of(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address->sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	strcpy(address->sun_path, path);
	return true;
}

/* A connection to a Unix socket stands at once, or not at all. */
static JSValue connect_unix(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *path = text_of(ctx, argv[0]);
	struct sockaddr_un address;
	JSValue answer;
	int fd;

	(void)this_value, (void)argc;
	if (path == NULL)
		return JS_EXCEPTION;
	fd = address_of(path, &address) ? socket_new() : -1;
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
		answer = JS_NewInt32(ctx, fd);
	} else {
		answer = throw_errno(ctx, errno, "connect", path);
		if (fd >= 0)
			close(fd);
	}
	JS_FreeCString(ctx, path);
	return answer;
}

/* The name of the call that failed, with errno, or NULL. */
static const char *serve(int fd, const struct sockaddr_un *address, mode_t mode)
{
	/* Nobody may connect between bind() and chmod(). */
	mode_t former = umask(0177);
	int bound = bind(fd, (const struct sockaddr *)address, sizeof(*address));

	umask(former);
	if (bound < 0)
		return "bind";
	if (listen(fd, BACKLOG) < 0)
		return "listen";
	return chmod(address->sun_path, mode) < 0 ? "chmod" : NULL;
}

static JSValue listen_unix(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *path = text_of(ctx, argv[0]), *failed = "socket";
	struct sockaddr_un address;
	uint32_t mode;
	JSValue answer;
	int fd = -1;

	(void)this_value, (void)argc;
	if (path == NULL || JS_ToUint32(ctx, &mode, argv[1]) < 0) {
		JS_FreeCString(ctx, path);
		return JS_EXCEPTION;
	}
	if (!address_of(path, &address))
		failed = "bind";
	else if (unlink(path) < 0 && errno != ENOENT)
		failed = "unlink";
	else if ((fd = socket_new()) >= 0)
		failed = serve(fd, &address, (mode_t)mode);
	if (failed == NULL) {
		answer = JS_NewInt32(ctx, fd);
	} else {
		answer = throw_errno(ctx, errno, failed, path);
		if (fd >= 0)
			close(fd);
	}
	JS_FreeCString(ctx, path);
	return answer;
}

static JSValue accept_next(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	int32_t listener;
	int fd;

	(void)this_value, (void)argc;
	if (JS_ToInt32(ctx, &listener, argv[0]) < 0)
		return JS_EXCEPTION;
	do
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (fd < 0)
		return errno == EAGAIN ? JS_UNDEFINED : throw_errno(ctx, errno, "accept", NULL);
	return JS_NewInt32(ctx, fd);
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("connectUnix", 1, connect_unix),
	JS_CFUNC_DEF("listenUnix", 2, listen_unix),
	JS_CFUNC_DEF("accept", 1, accept_next),
};
PART(unix_part, functions);
