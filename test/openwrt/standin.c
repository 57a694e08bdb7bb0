/*
 * Stands for a program of a router whose answer a test gives: sends its name, PKG_UPGRADE and arguments to /standin.sock, each ended by
 * NUL, and takes a byte of exit status and then its output. A status other than 0 sends the output to standard error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char *what) {
  perror(what);
  return 125;
}

static void put(FILE *to, const char *text) {
  fputs(text, to);
  fputc(0, to);
}

int main(int argc, char **argv) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/standin.sock"};
  int socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0 || connect(socket_, (struct sockaddr *)&address, sizeof address) != 0) return fail("standin");
  FILE *stream = fdopen(socket_, "r+");
  if (stream == NULL) return fail("standin");
  const char *upgrade = getenv("PKG_UPGRADE");
  put(stream, argv[0]);
  put(stream, upgrade == NULL ? "" : upgrade);
  for (int i = 1; i < argc; i++) put(stream, argv[i]);
  if (fflush(stream) != 0 || shutdown(socket_, SHUT_WR) != 0) return fail("standin");
  int status = fgetc(stream);
  if (status == EOF) return fail("standin: no answer");
  FILE *out = status == 0 ? stdout : stderr;
  for (int c = fgetc(stream); c != EOF; c = fgetc(stream)) fputc(c, out);
  return fflush(out) == 0 ? status : fail("standin");
}
