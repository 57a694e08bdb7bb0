/* UTF-8 that is well formed, quickly; what is not is left to src/host/polyfill/utf8.ts, which knows what to make of it. */
#include "native.h"

/* The length of the sequence that begins here, as Unicode's table 3-7 has them; 0 if there is none. */
static size_t sequence(const uint8_t *at, size_t left)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t length;

	if (at[0] < 0x80)
		return 1;
	if (at[0] < 0xc2 || at[0] > 0xf4)
		return 0;
	length = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	/* Shorter forms, surrogates, and what is beyond Unicode. */
	if (at[0] == 0xe0)
		low = 0xa0;
	else if (at[0] == 0xed)
		high = 0x9f;
	else if (at[0] == 0xf0)
		low = 0x90;
	else if (at[0] == 0xf4)
		high = 0x8f;
	if (length > left || at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (at[i] < 0x80 || at[i] > 0xbf)
			return 0;
	return length;
}

static bool is_well_formed(const uint8_t *bytes, size_t size)
{
	size_t at = 0, length;

	while (at < size && (length = sequence(bytes + at, size - at)) > 0)
		at += length;
	return at == size;
}

static bool has_mark(const uint8_t *bytes, size_t size)
{
	return size >= 3 && bytes[0] == 0xef && bytes[1] == 0xbb && bytes[2] == 0xbf;
}

static JSValue decode(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	size_t size;
	const uint8_t *bytes = bytes_of(ctx, argv[0], &size);

	(void)this_value, (void)argc;
	if (bytes == NULL)
		return JS_EXCEPTION;
	if (has_mark(bytes, size) || !is_well_formed(bytes, size))
		return JS_UNDEFINED;
	return JS_NewStringLen(ctx, (const char *)bytes, size);
}

static JSValue encode(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	size_t size;
	const char *text = JS_ToCStringLen(ctx, &size, argv[0]);
	JSValue answer;

	(void)this_value, (void)argc;
	if (text == NULL)
		return JS_EXCEPTION;
	/* A surrogate without its partner comes out of the engine as three bytes of its own. */
	answer = is_well_formed((const uint8_t *)text, size) ? bytes_new(ctx, (const uint8_t *)text, size) : JS_UNDEFINED;
	JS_FreeCString(ctx, text);
	return answer;
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("decodeText", 1, decode),
	JS_CFUNC_DEF("encodeText", 1, encode),
};
PART(text_part, functions);
