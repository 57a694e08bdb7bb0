/* Who waits for which descriptor to be readable or writable, and the one place where Binder waits. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "native.h"

#define NS_PER_S 1000000000

/* Two vectors of the same length, in the order of the numbers that the watches were given. */
struct watch {
	uint32_t id;
	JSValue callback;
};
static struct watch *watches;
static struct pollfd *polled;
static size_t count, room;
static uint32_t last_id;

bool watches_alive(void)
{
	return count > 0;
}

/* Its place; `count` if there is none. */
static size_t place_of(uint32_t id)
{
	size_t place = 0;

	while (place < count && watches[place].id != id)
		place++;
	return place;
}

static bool make_room(void)
{
	size_t more = room == 0 ? 16 : room * 2;
	struct watch *larger = realloc(watches, more * sizeof(*watches));
	struct pollfd *larger_too;

	if (larger == NULL)
		return false;
	watches = larger;
	larger_too = realloc(polled, more * sizeof(*polled));
	if (larger_too == NULL)
		return false;
	polled = larger_too;
	room = more;
	return true;
}

/* watch(fd, toWrite, callback): its number. */
static JSValue watch(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	int32_t fd;

	(void)this_value, (void)argc;
	if (JS_ToInt32(ctx, &fd, argv[0]) < 0)
		return JS_EXCEPTION;
	if (count == room && !make_room())
		return JS_ThrowOutOfMemory(ctx);
	polled[count] = (struct pollfd){ .fd = fd, .events = JS_ToBool(ctx, argv[1]) ? POLLOUT : POLLIN };
	watches[count] = (struct watch){ ++last_id, JS_DupValue(ctx, argv[2]) };
	count++;
	return JS_NewUint32(ctx, last_id);
}

static JSValue unwatch(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	uint32_t id;
	size_t place;

	(void)this_value, (void)argc;
	if (JS_ToUint32(ctx, &id, argv[0]) < 0)
		return JS_EXCEPTION;
	place = place_of(id);
	if (place == count)
		return JS_UNDEFINED;
	JS_FreeValue(ctx, watches[place].callback);
	count--;
	memmove(watches + place, watches + place + 1, (count - place) * sizeof(*watches));
	memmove(polled + place, polled + place + 1, (count - place) * sizeof(*polled));
	return JS_UNDEFINED;
}

/* Callbacks add watches and end others, so that each is looked up again by its number. */
static void deliver(JSContext *ctx, int ready)
{
	uint32_t *ids = malloc((size_t)ready * sizeof(*ids));
	size_t found = 0;

	if (ids == NULL)
		return;
	for (size_t i = 0; i < count && found < (size_t)ready; i++)
		if (polled[i].revents != 0)
			ids[found++] = watches[i].id;
	for (size_t i = 0; i < found; i++) {
		size_t place = place_of(ids[i]);

		if (place < count) {
			JSValue callback = JS_DupValue(ctx, watches[place].callback);

			turn_call(ctx, callback, 0, NULL);
			JS_FreeValue(ctx, callback);
		}
	}
	free(ids);
}

void watches_wait(JSContext *ctx, int64_t until)
{
	int64_t now = now_ns(), ns = until > now ? until - now : 0;
	struct timespec limit = { .tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S) };
	int ready;

	/* What the last turn ended may have been all that there was to wait for. */
	if (until < 0 && !watches_alive() && !processes_alive())
		return;
	ready = ppoll(polled, (nfds_t)count, until < 0 ? NULL : &limit, signals_mask());

	if (ready > 0)
		deliver(ctx, ready);
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("watch", 3, watch),
	JS_CFUNC_DEF("unwatch", 1, unwatch),
};
PART(watches_part, functions);
