/* Child processes: started, signalled, reaped. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "native.h"

extern char **environ;

struct child {
	struct child *next;
	pid_t pid;
	/* Whether the event loop goes on for it. */
	bool waited_for;
	JSValue on_exit;
};
static struct child *children;

#define LAST_SIGNAL 31
static const short FLAGS = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;

/*
 * posix_spawnp() looks the program up by this process's PATH, and answers the errno of exec(). What this process ignores or blocks is its
 * own affair: a child begins with every signal in its default.
 */
static int start(pid_t *pid, char **arguments, char **environment, const char *directory, bool session, const int streams[3])
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t all, none;
	int failed;

	sigemptyset(&all);
	sigemptyset(&none);
	/* Those above are the C library's own, or for real-time: whoever started this process has them from it. */
	for (int number = 1; number <= LAST_SIGNAL; number++)
		sigaddset(&all, number);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	failed = posix_spawnattr_setflags(&attributes, session ? FLAGS | POSIX_SPAWN_SETSID : FLAGS);
	for (int i = 0; i < 3 && failed == 0; i++)
		failed = posix_spawn_file_actions_adddup2(&actions, streams[i], i);
	if (failed == 0)
		failed = posix_spawn_file_actions_addchdir_np(&actions, directory);
	if (failed == 0)
		failed = posix_spawnp(pid, arguments[0], &actions, &attributes, arguments, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

static JSValue remember(JSContext *ctx, pid_t pid, bool waited_for, JSValueConst on_exit)
{
	struct child *child = malloc(sizeof(*child));

	if (child == NULL)
		return JS_ThrowOutOfMemory(ctx);
	*child = (struct child){ children, pid, waited_for, JS_DupValue(ctx, on_exit) };
	children = child;
	return JS_NewInt32(ctx, pid);
}

static bool is_set(char *const *own, const char *setting)
{
	size_t name = strcspn(setting, "=");

	for (; *own != NULL; own++)
		if (strncmp(*own, setting, name + 1) == 0)
			return true;
	return false;
}

/* This process's settings, but for those that a child has of its own; NULL if there is no memory. The vector alone is to be freed. */
static char **environment_with(char **own)
{
	size_t count = 0, theirs = 0;
	char **all;

	while (own[count] != NULL)
		count++;
	while (environ[theirs] != NULL)
		theirs++;
	all = calloc(count + theirs + 1, sizeof(*all));
	if (all == NULL)
		return NULL;
	memcpy(all, own, count * sizeof(*all));
	for (char **setting = environ; *setting != NULL; setting++)
		if (!is_set(own, *setting))
			all[count++] = *setting;
	return all;
}

static bool streams_of(JSContext *ctx, JSValueConst list, int streams[3])
{
	for (uint32_t i = 0; i < 3; i++) {
		JSValue stream = JS_GetPropertyUint32(ctx, list, i);
		int wrong = JS_ToInt32(ctx, &streams[i], stream);

		JS_FreeValue(ctx, stream);
		if (wrong)
			return false;
	}
	return true;
}

/* spawn(arguments, environment, directory, streams, session, onExit) */
static JSValue spawn(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	char **arguments = vector_of(ctx, argv[0]), **own = vector_of(ctx, argv[1]);
	char **environment = own == NULL ? NULL : environment_with(own);
	const char *directory = text_of(ctx, argv[2]);
	bool session = JS_ToBool(ctx, argv[4]) > 0;
	JSValue answer = JS_EXCEPTION;
	int streams[3], failed;
	pid_t pid;

	(void)this_value, (void)argc;
	if (arguments != NULL && environment != NULL && directory != NULL && streams_of(ctx, argv[3], streams)) {
		failed = start(&pid, arguments, environment, directory, session, streams);
		answer = failed == 0 ? remember(ctx, pid, !session, argv[5]) : throw_errno(ctx, failed, "spawn", arguments[0]);
	}
	JS_FreeCString(ctx, directory);
	free(environment);
	vector_free(own);
	vector_free(arguments);
	return answer;
}

bool processes_alive(void)
{
	for (struct child *child = children; child != NULL; child = child->next)
		if (child->waited_for)
			return true;
	return false;
}

static struct child *forget(pid_t pid)
{
	for (struct child **link = &children; *link != NULL; link = &(*link)->next) {
		struct child *child = *link;

		if (child->pid != pid)
			continue;
		*link = child->next;
		return child;
	}
	return NULL;
}

void processes_reap(JSContext *ctx)
{
	int status;

	for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
		struct child *child = forget(pid);
		JSValue code = JS_NewInt32(ctx, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));

		/* One that whoever was this process before exec() left is nobody's. */
		if (child == NULL)
			continue;
		turn_call(ctx, child->on_exit, 1, (JSValueConst *)&code);
		JS_FreeValue(ctx, child->on_exit);
		free(child);
	}
}

/* Answers false if there is no such process. */
static JSValue send_signal(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *name = text_of(ctx, argv[1]);
	int number = name == NULL ? -1 : signal_number(name);
	int32_t pid;

	(void)this_value, (void)argc;
	JS_FreeCString(ctx, name);
	if (name == NULL || JS_ToInt32(ctx, &pid, argv[0]) < 0)
		return JS_EXCEPTION;
	if (number < 0)
		return throw_errno(ctx, EINVAL, "kill", NULL);
	if (kill(pid, number) == 0)
		return JS_TRUE;
	return errno == ESRCH ? JS_FALSE : throw_errno(ctx, errno, "kill", NULL);
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("spawn", 6, spawn),
	JS_CFUNC_DEF("kill", 2, send_signal),
};
PART(processes_part, functions);
