/* The bundle that bundle.S has. As text, not as bytecode: that depends on the byte order, and is larger. */
#include "source.h"

extern const char bundle_text[], bundle_end[];

struct source source_get(int argc, char **argv)
{
	(void)argc, (void)argv;
	return (struct source){ "binder.js", bundle_text, (size_t)(bundle_end - bundle_text), 1 };
}
