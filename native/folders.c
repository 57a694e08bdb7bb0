/* Directories: what is in them, made with their parents, removed with all that they hold. */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "native.h"

/* So many directories are open at once at most while a tree is removed. */
#define OPEN_AT_ONCE 16

static JSValue list_folder(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *path = text_of(ctx, argv[0]);
	struct dirent *entry;
	uint32_t count = 0;
	JSValue names;
	DIR *folder;

	(void)this_value, (void)argc;
	if (path == NULL)
		return JS_EXCEPTION;
	folder = opendir(path);
	if (folder == NULL) {
		names = throw_errno(ctx, errno, "scandir", path);
	} else {
		names = JS_NewArray(ctx);
		while ((errno = 0, entry = readdir(folder)) != NULL)
			if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
				JS_SetPropertyUint32(ctx, names, count++, JS_NewString(ctx, entry->d_name));
		if (errno != 0) {
			JS_FreeValue(ctx, names);
			names = throw_errno(ctx, errno, "scandir", path);
		}
		closedir(folder);
	}
	JS_FreeCString(ctx, path);
	return names;
}

/* The directories that lead to the last one. What goes wrong with them shows when the last is made. */
static void make_parents(const char *path)
{
	char *copy = strdup(path);

	for (char *slash = copy; slash != NULL && *slash != '\0' && (slash = strchr(slash + 1, '/')) != NULL;) {
		*slash = '\0';
		mkdir(copy, 0755);
		*slash = '/';
	}
	free(copy);
}

static JSValue make_folder(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *path = text_of(ctx, argv[0]);
	JSValue answer = JS_UNDEFINED;
	struct stat status;
	uint32_t mode;

	(void)this_value, (void)argc;
	if (path == NULL)
		return JS_EXCEPTION;
	if (JS_ToUint32(ctx, &mode, argv[1]) < 0) {
		answer = JS_EXCEPTION;
	} else if (stat(path, &status) < 0 || !S_ISDIR(status.st_mode)) {
		make_parents(path);
		if (mkdir(path, (mode_t)mode) < 0) {
			if (errno != EEXIST)
				answer = throw_errno(ctx, errno, "mkdir", path);
		} else if (chmod(path, (mode_t)mode) < 0) {
			/* The umask has narrowed what mkdir() was given. */
			answer = throw_errno(ctx, errno, "chmod", path);
		}
	}
	JS_FreeCString(ctx, path);
	return answer;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

static JSValue remove_all(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *path = text_of(ctx, argv[0]);
	JSValue answer = JS_UNDEFINED;

	(void)this_value, (void)argc;
	if (path == NULL)
		return JS_EXCEPTION;
	/* Links are removed, not followed. */
	if (nftw(path, remove_entry, OPEN_AT_ONCE, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
		answer = throw_errno(ctx, errno, "rm", path);
	JS_FreeCString(ctx, path);
	return answer;
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("listFolder", 1, list_folder),
	JS_CFUNC_DEF("makeFolder", 2, make_folder),
	JS_CFUNC_DEF("removeAll", 1, remove_all),
};
PART(folders_part, functions);
