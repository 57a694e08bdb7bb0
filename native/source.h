/* Where the program's modules come from: source-embedded.c (the executable holds it) or source-file.c (its first argument names it). */
#ifndef BINDER_SOURCE_H
#define BINDER_SOURCE_H

#include <stddef.h>

struct source {
	const char *name;
	/* A NUL follows the text. */
	const char *text;
	size_t size;
	/* So many of the process's arguments are not the program's. */
	int skip;
};

/* The module that begins. Ends the process if there is none. */
struct source source_get(int argc, char **argv);
/* One that is imported; without a text if there is none of that name. */
struct source source_find(const char *name);

#endif
