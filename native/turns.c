/* Turns of the event loop: a call into JavaScript, then all jobs that it left, then a look at rejections that nobody handles. */
#include <stdio.h>
#include <stdlib.h>

#include "native.h"

struct rejection {
	struct rejection *next;
	JSValue promise, reason;
};
static struct rejection *rejections;

static void print(JSContext *ctx, const char *before, JSValueConst value)
{
	const char *text = JS_ToCString(ctx, value);

	fprintf(stderr, "%s%s\n", before, text == NULL ? "(no text)" : text);
	JS_FreeCString(ctx, text);
}

/* As Node does: the error on standard error, and status 1. */
void turn_fail(JSContext *ctx, JSValueConst error)
{
	print(ctx, "Uncaught ", error);
	if (JS_IsError(ctx, error)) {
		JSValue stack = JS_GetPropertyStr(ctx, error, "stack");

		if (!JS_IsUndefined(stack))
			print(ctx, "", stack);
		JS_FreeValue(ctx, stack);
	}
	exit(1);
}

static void fail_with_exception(JSContext *ctx)
{
	turn_fail(ctx, JS_GetException(ctx));
}

static void forget(JSContext *ctx, struct rejection *rejection)
{
	JS_FreeValue(ctx, rejection->promise);
	JS_FreeValue(ctx, rejection->reason);
	free(rejection);
}

/* Called for a rejection that nobody handles yet, and again once somebody does. */
static void track(JSContext *ctx, JSValueConst promise, JSValueConst reason, JS_BOOL handled, void *opaque)
{
	struct rejection **link = &rejections, *rejection;

	(void)opaque;
	if (!handled) {
		rejection = malloc(sizeof(*rejection));
		if (rejection == NULL)
			abort();
		*rejection = (struct rejection){ rejections, JS_DupValue(ctx, promise), JS_DupValue(ctx, reason) };
		rejections = rejection;
		return;
	}
	for (; *link != NULL; link = &(*link)->next) {
		rejection = *link;
		if (JS_VALUE_GET_PTR(rejection->promise) != JS_VALUE_GET_PTR(promise))
			continue;
		*link = rejection->next;
		forget(ctx, rejection);
		return;
	}
}

void turn_init(JSRuntime *rt)
{
	JS_SetHostPromiseRejectionTracker(rt, track, NULL);
}

void turn_end(JSContext *ctx)
{
	JSContext *job;
	int done;

	while ((done = JS_ExecutePendingJob(JS_GetRuntime(ctx), &job)) > 0)
		;
	if (done < 0)
		fail_with_exception(job);
	if (rejections != NULL)
		turn_fail(ctx, rejections->reason);
}

void turn_call(JSContext *ctx, JSValueConst callback, int argc, JSValueConst *argv)
{
	JSValue answer = JS_Call(ctx, callback, JS_UNDEFINED, argc, argv);

	if (JS_IsException(answer))
		fail_with_exception(ctx);
	JS_FreeValue(ctx, answer);
	turn_end(ctx);
}
