/* This process itself. */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "native.h"

#define MOST_RANDOM 65536

static JSValue end(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	int32_t status;

	(void)this_value, (void)argc;
	if (JS_ToInt32(ctx, &status, argv[0]) < 0)
		return JS_EXCEPTION;
	exit(status);
}

/* A variable of the environment; undefined if it is not set. */
static JSValue variable(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *name = text_of(ctx, argv[0]), *value;

	(void)this_value, (void)argc;
	if (name == NULL)
		return JS_EXCEPTION;
	value = getenv(name);
	JS_FreeCString(ctx, name);
	return value == NULL ? JS_UNDEFINED : JS_NewString(ctx, value);
}

static JSValue own_pid(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	(void)this_value, (void)argc, (void)argv;
	return JS_NewInt32(ctx, getpid());
}

/* Waits, at a boot, until the kernel has gathered enough: guessable bytes would be worse than none. */
static JSValue random_bytes(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	static uint8_t bytes[MOST_RANDOM];
	size_t filled = 0;
	uint32_t size;

	(void)this_value, (void)argc;
	if (JS_ToUint32(ctx, &size, argv[0]) < 0)
		return JS_EXCEPTION;
	if (size > sizeof(bytes))
		return JS_ThrowRangeError(ctx, "at most %d random bytes at a time", MOST_RANDOM);
	while (filled < size) {
		ssize_t got = getrandom(bytes + filled, size - filled, 0);

		if (got < 0 && errno != EINTR)
			return throw_errno(ctx, errno, "getrandom", NULL);
		if (got > 0)
			filled += (size_t)got;
	}
	return bytes_new(ctx, bytes, size);
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("exit", 1, end),
	JS_CFUNC_DEF("variable", 1, variable),
	JS_CFUNC_DEF("pid", 0, own_pid),
	JS_CFUNC_DEF("random", 1, random_bytes),
};
PART(program_part, functions);
