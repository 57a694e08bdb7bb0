/* Arguments from JavaScript, and answers to it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "native.h"

const char *text_of(JSContext *ctx, JSValueConst value)
{
	size_t size;
	const char *text = JS_ToCStringLen(ctx, &size, value);

	if (text != NULL && strlen(text) != size) {
		throw_errno(ctx, EINVAL, "NUL in", text);
		JS_FreeCString(ctx, text);
		return NULL;
	}
	return text;
}

JSValue bytes_new(JSContext *ctx, const uint8_t *bytes, size_t size)
{
	JSValue buffer = JS_NewArrayBufferCopy(ctx, bytes, size);
	/* The constructor's arguments, all of which it looks at: from where, and how many. */
	JSValueConst whole[] = { buffer, JS_UNDEFINED, JS_UNDEFINED };
	JSValue array;

	if (JS_IsException(buffer))
		return buffer;
	array = JS_NewTypedArray(ctx, COUNT(whole), whole, JS_TYPED_ARRAY_UINT8);
	JS_FreeValue(ctx, buffer);
	return array;
}

const uint8_t *bytes_of(JSContext *ctx, JSValueConst value, size_t *size)
{
	static const uint8_t none[1];
	size_t offset, unit, whole;
	const uint8_t *bytes;
	JSValue buffer = JS_GetTypedArrayBuffer(ctx, value, &offset, size, &unit);

	if (JS_IsException(buffer))
		return NULL;
	bytes = JS_GetArrayBuffer(ctx, &whole, buffer);
	/* The array keeps its buffer. */
	JS_FreeValue(ctx, buffer);
	if (*size == 0)
		return none;
	return bytes == NULL ? NULL : bytes + offset;
}

void vector_free(char **vector)
{
	for (size_t i = 0; vector != NULL && vector[i] != NULL; i++)
		free(vector[i]);
	free(vector);
}

static char *item_of(JSContext *ctx, JSValueConst list, uint32_t place)
{
	JSValue item = JS_GetPropertyUint32(ctx, list, place);
	const char *text = JS_IsException(item) ? NULL : text_of(ctx, item);
	char *copy = text == NULL ? NULL : strdup(text);

	JS_FreeValue(ctx, item);
	if (text != NULL && copy == NULL)
		JS_ThrowOutOfMemory(ctx);
	JS_FreeCString(ctx, text);
	return copy;
}

char **vector_of(JSContext *ctx, JSValueConst list)
{
	JSValue length = JS_GetPropertyStr(ctx, list, "length");
	uint32_t count;
	char **vector;

	if (JS_ToUint32(ctx, &count, length) < 0)
		return NULL;
	vector = calloc((size_t)count + 1, sizeof(*vector));
	if (vector == NULL)
		JS_ThrowOutOfMemory(ctx);
	for (uint32_t i = 0; vector != NULL && i < count; i++) {
		vector[i] = item_of(ctx, list, i);
		if (vector[i] == NULL) {
			vector_free(vector);
			return NULL;
		}
	}
	return vector;
}
