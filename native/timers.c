/* One-shot timers, in the order in which they are due; of those due together the one that was set first. */
#include <stdlib.h>
#include <time.h>

#include "native.h"

#define NS_PER_MS 1000000

struct timer {
	struct timer *next;
	int64_t due;
	uint32_t id;
	JSValue callback;
};
static struct timer *timers;
static uint32_t last_id;

int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

int64_t timers_next(void)
{
	return timers == NULL ? -1 : timers->due;
}

/* Those that are due by now; one that is set meanwhile waits for the next turn. */
void timers_run(JSContext *ctx)
{
	int64_t now = now_ns();

	while (timers != NULL && timers->due <= now) {
		struct timer *timer = timers;

		timers = timer->next;
		turn_call(ctx, timer->callback, 0, NULL);
		JS_FreeValue(ctx, timer->callback);
		free(timer);
	}
}

/* setTimer(callback, milliseconds): its number. */
static JSValue set_timer(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	struct timer *timer, **link = &timers;
	int64_t ms;

	(void)this_value, (void)argc;
	if (JS_ToInt64(ctx, &ms, argv[1]) < 0)
		return JS_EXCEPTION;
	timer = malloc(sizeof(*timer));
	if (timer == NULL)
		return JS_ThrowOutOfMemory(ctx);
	*timer = (struct timer){ NULL, now_ns() + ms * NS_PER_MS, ++last_id, JS_DupValue(ctx, argv[0]) };
	while (*link != NULL && (*link)->due <= timer->due)
		link = &(*link)->next;
	timer->next = *link;
	*link = timer;
	return JS_NewUint32(ctx, timer->id);
}

static JSValue clear_timer(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	uint32_t id;

	(void)this_value, (void)argc;
	if (JS_ToUint32(ctx, &id, argv[0]) < 0)
		return JS_EXCEPTION;
	for (struct timer **link = &timers; *link != NULL; link = &(*link)->next) {
		struct timer *timer = *link;

		if (timer->id != id)
			continue;
		*link = timer->next;
		JS_FreeValue(ctx, timer->callback);
		free(timer);
		break;
	}
	return JS_UNDEFINED;
}

static JSValue monotonic(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	(void)this_value, (void)argc, (void)argv;
	return JS_NewFloat64(ctx, (double)now_ns() / NS_PER_MS);
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("setTimer", 2, set_timer),
	JS_CFUNC_DEF("clearTimer", 1, clear_timer),
	JS_CFUNC_DEF("monotonic", 0, monotonic),
};
PART(timers_part, functions);
