/* A program from a file: for test suites. */
#include <stdio.h>
#include <stdlib.h>

#include "source.h"

static _Noreturn void fail(const char *path)
{
	perror(path);
	exit(2);
}

struct source source_get(int argc, char **argv)
{
	char *text = NULL;
	FILE *file;
	long size;

	if (argc < 2) {
		fprintf(stderr, "usage: %s PROGRAM.js [ARGUMENT ...]\n", argv[0]);
		exit(2);
	}
	file = fopen(argv[1], "re");
	if (file == NULL || fseek(file, 0, SEEK_END) < 0 || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) < 0)
		fail(argv[1]);
	text = malloc((size_t)size + 1);
	if (text == NULL || fread(text, 1, (size_t)size, file) != (size_t)size)
		fail(argv[1]);
	fclose(file);
	text[size] = '\0';
	return (struct source){ argv[1], text, (size_t)size, 2 };
}

/* Suites are one module each. */
struct source source_find(const char *name)
{
	return (struct source){ name, NULL, 0, 0 };
}
