/* Files: read whole, replaced whole, written into; their status and owner. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "native.h"

/* A file of /proc is the same all along only if one read() takes it. */
#define FIRST_READ 16384

/* All up to the end of file, into memory that the caller frees; NULL with errno. */
static uint8_t *read_all(int fd, size_t *size)
{
	struct stat status;
	size_t room = FIRST_READ;
	uint8_t *bytes, *larger;

	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size >= FIRST_READ && status.st_size < INT32_MAX)
		room = (size_t)status.st_size + 1;
	bytes = malloc(room);
	*size = 0;
	while (bytes != NULL) {
		ssize_t count = read(fd, bytes + *size, room - *size);

		if (count == 0)
			return bytes;
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			break;
		*size += (size_t)count;
		if (*size < room)
			continue;
		room *= 2;
		larger = realloc(bytes, room);
		if (larger == NULL)
			break;
		bytes = larger;
	}
	free(bytes);
	return NULL;
}

static JSValue read_file(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *path = text_of(ctx, argv[0]);
	JSValue answer;
	uint8_t *bytes;
	size_t size;
	int fd;

	(void)this_value, (void)argc;
	if (path == NULL)
		return JS_EXCEPTION;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		answer = throw_errno(ctx, errno, "open", path);
	} else {
		bytes = read_all(fd, &size);
		answer = bytes == NULL ? throw_errno(ctx, errno, "read", path) : bytes_new(ctx, bytes, size);
		free(bytes);
		close_quietly(fd);
	}
	JS_FreeCString(ctx, path);
	return answer;
}

/* Writes a new file; the name of the call that failed, with errno, or NULL. */
static const char *write_new(const char *path, mode_t mode, const uint8_t *bytes, size_t size)
{
	const char *failed = NULL;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0)
		return "open";
	/* The umask has narrowed what open() was given. */
	if (fchmod(fd, mode) < 0)
		failed = "fchmod";
	else if (!write_all(fd, bytes, size))
		failed = "write";
	else if (fsync(fd) < 0)
		failed = "fsync";
	close_quietly(fd);
	return failed;
}

/* A rename survives a loss of power only once its directory is on the disk. */
static bool flush_directory_of(const char *path)
{
	char *copy = strdup(path);
	int fd = copy == NULL ? -1 : open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);

	free(copy);
	if (fd >= 0)
		close_quietly(fd);
	return done;
}

static JSValue replace_file(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *path = text_of(ctx, argv[0]), *failed;
	size_t size;
	const uint8_t *bytes = bytes_of(ctx, argv[1], &size);
	char *fresh = NULL;
	struct timespec now;
	uint32_t mode;
	JSValue answer = JS_UNDEFINED;

	(void)this_value, (void)argc;
	if (path == NULL || bytes == NULL || JS_ToUint32(ctx, &mode, argv[2]) < 0) {
		JS_FreeCString(ctx, path);
		return JS_EXCEPTION;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	if (asprintf(&fresh, "%s.%lx%lx%lx.new", path, (long)getpid(), (long)now.tv_sec, now.tv_nsec) < 0) {
		answer = JS_ThrowOutOfMemory(ctx);
	} else {
		failed = write_new(fresh, (mode_t)mode, bytes, size);
		if (failed == NULL && rename(fresh, path) < 0)
			failed = "rename";
		if (failed != NULL) {
			answer = throw_errno(ctx, errno, failed, path);
			unlink(fresh);
		} else if (!flush_directory_of(path)) {
			answer = throw_errno(ctx, errno, "fsync", path);
		}
		free(fresh);
	}
	JS_FreeCString(ctx, path);
	return answer;
}

static JSValue poke_file(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *path = text_of(ctx, argv[0]);
	size_t size;
	const uint8_t *bytes = bytes_of(ctx, argv[1], &size);
	JSValue answer = JS_UNDEFINED;
	int fd;

	(void)this_value, (void)argc;
	if (path == NULL || bytes == NULL) {
		JS_FreeCString(ctx, path);
		return JS_EXCEPTION;
	}
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		answer = throw_errno(ctx, errno, "open", path);
	} else {
		if (!write_all(fd, bytes, size))
			answer = throw_errno(ctx, errno, "write", path);
		close_quietly(fd);
	}
	JS_FreeCString(ctx, path);
	return answer;
}

static const char *kind_of(mode_t mode)
{
	return S_ISREG(mode) ? "file" : S_ISDIR(mode) ? "directory" : S_ISSOCK(mode) ? "socket" : "other";
}

static JSValue status_of(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *path = text_of(ctx, argv[0]);
	struct stat status;
	JSValue answer;

	(void)this_value, (void)argc;
	if (path == NULL)
		return JS_EXCEPTION;
	if (stat(path, &status) < 0) {
		answer = errno == ENOENT || errno == ENOTDIR ? JS_UNDEFINED : throw_errno(ctx, errno, "stat", path);
	} else {
		answer = JS_NewObject(ctx);
		JS_SetPropertyStr(ctx, answer, "kind", JS_NewString(ctx, kind_of(status.st_mode)));
		JS_SetPropertyStr(ctx, answer, "mode", JS_NewInt32(ctx, status.st_mode & 07777));
		JS_SetPropertyStr(ctx, answer, "size", JS_NewInt64(ctx, status.st_size));
		JS_SetPropertyStr(ctx, answer, "uid", JS_NewUint32(ctx, status.st_uid));
		JS_SetPropertyStr(ctx, answer, "gid", JS_NewUint32(ctx, status.st_gid));
	}
	JS_FreeCString(ctx, path);
	return answer;
}

static JSValue set_owner(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *path = text_of(ctx, argv[0]);
	JSValue answer = JS_UNDEFINED;
	uint32_t uid, gid;

	(void)this_value, (void)argc;
	if (path == NULL)
		return JS_EXCEPTION;
	if (JS_ToUint32(ctx, &uid, argv[1]) < 0 || JS_ToUint32(ctx, &gid, argv[2]) < 0)
		answer = JS_EXCEPTION;
	else if (chown(path, uid, gid) < 0)
		answer = throw_errno(ctx, errno, "chown", path);
	JS_FreeCString(ctx, path);
	return answer;
}

static JSValue is_executable(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const char *path = text_of(ctx, argv[0]);
	bool yes = path != NULL && access(path, X_OK) == 0;

	(void)this_value, (void)argc;
	if (path == NULL)
		return JS_EXCEPTION;
	JS_FreeCString(ctx, path);
	return JS_NewBool(ctx, yes);
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("readFile", 1, read_file),		  JS_CFUNC_DEF("replaceFile", 3, replace_file),
	JS_CFUNC_DEF("pokeFile", 2, poke_file),		  JS_CFUNC_DEF("statusOf", 1, status_of),
	JS_CFUNC_DEF("setOwner", 3, set_owner),		  JS_CFUNC_DEF("isExecutable", 1, is_executable),
};
PART(files_part, functions);
