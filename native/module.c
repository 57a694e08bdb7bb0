/* The module `binder:native`: every part's functions, and the program's arguments. And how modules of the program are read. */
#include "native.h"
#include "source.h"

static const struct part *const parts[] = {
	&files_part, &folders_part, &descriptors_part, &processes_part, &signals_part,
	&unix_part,  &udp_part,	    &timers_part,      &watches_part,	&program_part,
	&text_part,
};
static int arg_count;
static char **args;

static int fill(JSContext *ctx, JSModuleDef *module)
{
	JSValue list = JS_NewArray(ctx);

	for (size_t i = 0; i < COUNT(parts); i++)
		if (JS_SetModuleExportList(ctx, module, parts[i]->functions, parts[i]->count) < 0)
			return -1;
	for (int i = 0; i < arg_count; i++)
		JS_SetPropertyUint32(ctx, list, (uint32_t)i, JS_NewString(ctx, args[i]));
	return JS_SetModuleExport(ctx, module, "args", list);
}

JSModuleDef *module_define(JSContext *ctx, int argc, char **argv)
{
	JSModuleDef *module = JS_NewCModule(ctx, "binder:native", fill);

	arg_count = argc;
	args = argv;
	if (module == NULL)
		return NULL;
	for (size_t i = 0; i < COUNT(parts); i++)
		if (JS_AddModuleExportList(ctx, module, parts[i]->functions, parts[i]->count) < 0)
			return NULL;
	return JS_AddModuleExport(ctx, module, "args") < 0 ? NULL : module;
}

JSModuleDef *module_load(JSContext *ctx, const char *name, void *opaque)
{
	struct source source = source_find(name);
	JSModuleDef *module;
	JSValue compiled;

	(void)opaque;
	if (source.text == NULL) {
		JS_ThrowReferenceError(ctx, "there is no module %s", name);
		return NULL;
	}
	/*
	 * Lines of a bundle tell nobody anything. The first module keeps them: import() there needs its name, which goes with them, and
	 * no other module has one.
	 */
	JS_SetStripInfo(JS_GetRuntime(ctx), JS_STRIP_DEBUG);
	compiled = JS_Eval(ctx, source.text, source.size, source.name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
	if (JS_IsException(compiled))
		return NULL;
	/* The context keeps it. */
	module = JS_VALUE_GET_PTR(compiled);
	JS_FreeValue(ctx, compiled);
	return module;
}
