/* Signals: by name (numbers differ between architectures), and taken only while the event loop waits. */
#include <signal.h>
#include <string.h>

#include "native.h"

static const struct {
	const char *name;
	int number;
} names[] = {
	{ "SIGTERM", SIGTERM }, { "SIGINT", SIGINT },	{ "SIGHUP", SIGHUP },
	{ "SIGKILL", SIGKILL }, { "SIGUSR1", SIGUSR1 }, { "SIGUSR2", SIGUSR2 },
};

static volatile sig_atomic_t came[COUNT(names)];
static volatile sig_atomic_t child_came;
static JSValue handlers[COUNT(names)];
static sigset_t while_waiting;

static void note(int number)
{
	if (number == SIGCHLD)
		child_came = 1;
	for (size_t i = 0; i < COUNT(names); i++)
		if (names[i].number == number)
			came[i] = 1;
}

/* Blocked but in ppoll(), so that none comes between a look at the flags and the wait. */
static void take(int number)
{
	struct sigaction action = { .sa_handler = note };
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, number);
	sigprocmask(SIG_BLOCK, &one, NULL);
	sigaction(number, &action, NULL);
}

int signal_number(const char *name)
{
	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].number;
	return -1;
}

void signals_init(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	for (size_t i = 0; i < COUNT(handlers); i++)
		handlers[i] = JS_UNDEFINED;
	sigprocmask(SIG_SETMASK, NULL, &while_waiting);
	sigdelset(&while_waiting, SIGCHLD);
	take(SIGCHLD);
	/* A peer that left is the errno of a write. */
	sigaction(SIGPIPE, &ignore, NULL);
}

const void *signals_mask(void)
{
	return &while_waiting;
}

void signals_deliver(JSContext *ctx)
{
	sigset_t blocked;

	/* ppoll() takes no signal if a descriptor was ready at once; here those come that wait since. */
	sigprocmask(SIG_SETMASK, &while_waiting, &blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	if (child_came) {
		child_came = 0;
		processes_reap(ctx);
	}
	for (size_t i = 0; i < COUNT(names); i++) {
		if (!came[i])
			continue;
		came[i] = 0;
		if (!JS_IsUndefined(handlers[i]))
			turn_call(ctx, handlers[i], 0, NULL);
	}
}

static JSValue on_signal(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *name = text_of(ctx, argv[0]);

	(void)this_value, (void)argc;
	if (name == NULL)
		return JS_EXCEPTION;
	for (size_t i = 0; i < COUNT(names); i++) {
		if (strcmp(names[i].name, name) != 0)
			continue;
		JS_FreeValue(ctx, handlers[i]);
		handlers[i] = JS_DupValue(ctx, argv[1]);
		sigdelset(&while_waiting, names[i].number);
		take(names[i].number);
	}
	JS_FreeCString(ctx, name);
	return JS_UNDEFINED;
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("onSignal", 2, on_signal),
};
PART(signals_part, functions);
