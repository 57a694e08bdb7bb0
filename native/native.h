/*
 * The C of the QuickJS host: what Binder's TypeScript cannot do itself, as the functions of one module, `binder:native`.
 * src/host/quickjs/modules.d.ts says what each does. One process runs one engine, so that each file keeps its state to itself.
 */
#ifndef BINDER_NATIVE_H
#define BINDER_NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "quickjs.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A part's functions, for JS_SetModuleExportList. */
struct part {
	const JSCFunctionListEntry *functions;
	int count;
};
#define PART(name, list) const struct part name = { list, COUNT(list) }

extern const struct part files_part, folders_part, descriptors_part, processes_part, signals_part, unix_part, udp_part, timers_part,
	watches_part, program_part, text_part;

/* module.c */
JSModuleDef *module_define(JSContext *ctx, int argc, char **argv);
/* For JS_SetModuleLoaderFunc: a module of the program. */
JSModuleDef *module_load(JSContext *ctx, const char *name, void *opaque);

/* errors.c: throws an Error with the errno's name as `code` and a text as Node's: `ENOENT: no such file or directory, open '/x'`. */
JSValue throw_errno(JSContext *ctx, int number, const char *call, const char *about);

/* values.c */
/* A string without a NUL byte inside; NULL and an exception otherwise. JS_FreeCString ends it. */
const char *text_of(JSContext *ctx, JSValueConst value);
JSValue bytes_new(JSContext *ctx, const uint8_t *bytes, size_t size);
/* The bytes of a Uint8Array, which must outlive them; NULL and an exception if it is none. */
const uint8_t *bytes_of(JSContext *ctx, JSValueConst value, size_t *size);
/* A list of strings as a vector for exec(); NULL and an exception if it is none. */
char **vector_of(JSContext *ctx, JSValueConst list);
void vector_free(char **vector);

/* descriptors.c */
/* Writes all, waiting where it must; false with errno. */
bool write_all(int fd, const uint8_t *bytes, size_t size);
void close_quietly(int fd);

/* turns.c: calls into JavaScript. Both end the process if what they ran throws, or rejects and nobody cares. */
void turn_init(JSRuntime *rt);
/* Runs the jobs that are pending: what a turn of the event loop ends with. */
void turn_end(JSContext *ctx);
void turn_call(JSContext *ctx, JSValueConst callback, int argc, JSValueConst *argv);
_Noreturn void turn_fail(JSContext *ctx, JSValueConst error);

/* signals.c */
void signals_init(void);
/* The mask for ppoll(): only there signals are taken. */
const void *signals_mask(void);
void signals_deliver(JSContext *ctx);
/* Its number here; -1 if Binder does not know the name. */
int signal_number(const char *name);

/* processes.c */
/* Some child that is waited for is still there. */
bool processes_alive(void);
void processes_reap(JSContext *ctx);

/* timers.c; times are nanoseconds of the monotonic clock. */
int64_t now_ns(void);
/* When the next is due; -1 if there is none. */
int64_t timers_next(void);
void timers_run(JSContext *ctx);

/* watches.c */
bool watches_alive(void);
/* Waits until that time (-1: for ever) at most, and calls whoever waited for what came. */
void watches_wait(JSContext *ctx, int64_t until);

#endif
