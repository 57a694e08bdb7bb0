/* An engine, a program in it, and the event loop until nothing is left to wait for. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "native.h"
#include "source.h"

/* Bytes. A recursion without end is a RangeError well before the 8 MB of a process's stack. */
#define STACK (1024 * 1024)
/* Bytes that are in use when cycles are looked for the first time; later it is half as much again as was left. */
#define FIRST_COLLECTION (2 * 1024 * 1024)
/* Where OpenWrt and Debian have what Binder runs; Debian's su and cron leave some out of PATH. */
#define PATHS "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"

/* Of the program, but reachable for ever: a leak checker counts what nothing points to. */
static JSRuntime *runtime;

/* A stream that was closed would be the number of the next file to be opened, and what is printed would go there. */
static void keep_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close_quietly(fd);
}

static void set_environment(void)
{
	const char *former = getenv("PATH");
	size_t size = (former == NULL ? 0 : strlen(former)) + sizeof(PATHS) + 1;
	char *path = malloc(size);

	if (path == NULL)
		abort();
	snprintf(path, size, "%s%s%s", former == NULL ? "" : former, former == NULL || *former == '\0' ? "" : ":", PATHS);
	setenv("PATH", path, 1);
	/* What programs print is read. */
	setenv("LC_ALL", "C", 1);
	free(path);
}

static JSContext *start(int argc, char **argv)
{
	JSContext *ctx;

	runtime = JS_NewRuntime();
	if (runtime == NULL)
		abort();
	JS_SetMaxStackSize(runtime, STACK);
	JS_SetGCThreshold(runtime, FIRST_COLLECTION);
	JS_SetStripInfo(runtime, JS_STRIP_SOURCE);
	JS_SetModuleLoaderFunc(runtime, NULL, module_load, NULL);
	turn_init(runtime);
	ctx = JS_NewContext(runtime);
	if (ctx == NULL || module_define(ctx, argc, argv) == NULL)
		abort();
	return ctx;
}

int main(int argc, char **argv)
{
	struct source source = source_get(argc, argv);
	JSContext *ctx;
	JSValue answer;

	keep_standard_streams();
	set_environment();
	signals_init();
	ctx = start(argc - source.skip, argv + source.skip);
	answer = JS_Eval(ctx, source.text, source.size, source.name, JS_EVAL_TYPE_MODULE);
	if (JS_IsException(answer))
		turn_fail(ctx, JS_GetException(ctx));
	JS_FreeValue(ctx, answer);
	turn_end(ctx);
	while (timers_next() >= 0 || watches_alive() || processes_alive()) {
		timers_run(ctx);
		watches_wait(ctx, timers_next());
		signals_deliver(ctx);
	}
	return 0;
}
