/* Errnos by name: numbers differ between architectures (MIPS has its own above 34), names do not. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "native.h"

#define NAME(code) { code, #code }

static const struct {
	int number;
	const char *name;
} names[] = {
	NAME(EPERM), NAME(ENOENT), NAME(ESRCH), NAME(EINTR), NAME(EIO), NAME(ENXIO), NAME(E2BIG), NAME(ENOEXEC), NAME(EBADF), NAME(ECHILD),
	NAME(EAGAIN), NAME(ENOMEM), NAME(EACCES), NAME(EFAULT), NAME(EBUSY), NAME(EEXIST), NAME(EXDEV), NAME(ENODEV), NAME(ENOTDIR),
	NAME(EISDIR), NAME(EINVAL), NAME(ENFILE), NAME(EMFILE), NAME(ENOTTY), NAME(ETXTBSY), NAME(EFBIG), NAME(ENOSPC), NAME(ESPIPE),
	NAME(EROFS), NAME(EMLINK), NAME(EPIPE), NAME(ERANGE), NAME(EDEADLK), NAME(ENAMETOOLONG), NAME(ENOLCK), NAME(ENOSYS),
	NAME(ENOTEMPTY), NAME(ELOOP), NAME(EPROTO), NAME(EOVERFLOW), NAME(EILSEQ), NAME(ENOTSOCK), NAME(EDESTADDRREQ), NAME(EMSGSIZE),
	NAME(EPROTOTYPE), NAME(ENOPROTOOPT), NAME(EPROTONOSUPPORT), NAME(EOPNOTSUPP), NAME(EAFNOSUPPORT), NAME(EADDRINUSE),
	NAME(EADDRNOTAVAIL), NAME(ENETDOWN), NAME(ENETUNREACH), NAME(ENETRESET), NAME(ECONNABORTED), NAME(ECONNRESET), NAME(ENOBUFS),
	NAME(EISCONN), NAME(ENOTCONN), NAME(ETIMEDOUT), NAME(ECONNREFUSED), NAME(EHOSTDOWN), NAME(EHOSTUNREACH), NAME(EALREADY),
	NAME(EINPROGRESS), NAME(ESTALE), NAME(EDQUOT),
};

static const char *name_of(int number)
{
	for (size_t i = 0; i < COUNT(names); i++)
		if (names[i].number == number)
			return names[i].name;
	return "EIO";
}

JSValue throw_errno(JSContext *ctx, int number, const char *call, const char *about)
{
	const char *code = name_of(number);
	char text[256], message[1024];
	JSValue error;

	snprintf(text, sizeof(text), "%s", strerror(number));
	text[0] = (char)tolower((unsigned char)text[0]);
	if (about == NULL)
		snprintf(message, sizeof(message), "%s: %s, %s", code, text, call);
	else
		snprintf(message, sizeof(message), "%s: %s, %s '%s'", code, text, call, about);
	error = JS_NewError(ctx);
	if (JS_IsException(error))
		return error;
	JS_DefinePropertyValueStr(ctx, error, "message", JS_NewString(ctx, message), JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
	JS_DefinePropertyValueStr(ctx, error, "code", JS_NewString(ctx, code), JS_PROP_C_W_E);
	return JS_Throw(ctx, error);
}
