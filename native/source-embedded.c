/*
 * The archive that bundle.S has: for each module a line with its name and its size, its text, and a NUL (scripts/build.mjs makes it).
 * As text, not as bytecode: that depends on the byte order, and is larger.
 */
#include <stdlib.h>
#include <string.h>

#include "source.h"

extern const char bundle_text[], bundle_end[];

struct module {
	const char *name, *text, *next;
	size_t name_length, size;
};

static struct module module_at(const char *line)
{
	struct module module = { .name = line, .name_length = strcspn(line, " ") };
	char *end;

	module.size = strtoul(line + module.name_length, &end, 10);
	module.text = end + 1;
	module.next = module.text + module.size + 1;
	return module;
}

struct source source_get(int argc, char **argv)
{
	struct module first = module_at(bundle_text);
	/* For as long as the program runs. */
	char *name = strndup(first.name, first.name_length);

	(void)argc, (void)argv;
	if (name == NULL)
		abort();
	return (struct source){ name, first.text, first.size, 1 };
}

struct source source_find(const char *name)
{
	size_t length = strlen(name);

	for (const char *at = bundle_text; at < bundle_end;) {
		struct module module = module_at(at);

		if (module.name_length == length && memcmp(module.name, name, length) == 0)
			return (struct source){ name, module.text, module.size, 0 };
		at = module.next;
	}
	return (struct source){ name, NULL, 0, 0 };
}
