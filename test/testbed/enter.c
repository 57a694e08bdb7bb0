/*
 * enter: what is done to a node of a testbed from outside.
 *
 *   enter run PID DIRECTORY PROGRAM [ARGUMENT...]   runs a program in the node; its status is the program's, or 128 + its signal
 *   enter net PID PROGRAM [ARGUMENT...]             in the node's network namespace alone, seeing the machine's files and PIDs
 *   enter write PID                                 writes the files that standard input holds: `MODE SIZE PATH\n` and SIZE bytes
 *                                                   each; MODE is octal, or `-` for what exists already (/proc/sys)
 *   enter plain PID DEVICE...                       turns segmentation, merging and checksum offload of the devices off
 *
 * PID is the node's holder. A program that was run dies with `enter`; SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP
 * and SIGCONT are handed on to it, SIGPWR as SIGKILL: its end is then awaited, which a SIGKILL to `enter` does not.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_namespace(const char *pid, const char *kind)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%s/ns/%s", pid, kind);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		errx(126, "no node with PID %s", pid);
	return fd;
}

static void join(const char *pid, int all)
{
	static const char *const kinds[] = { "net", "pid", "ipc", "uts", "mnt" };
	int fds[5], count = all ? 5 : 1;
	struct stat theirs, ours;
	for (int i = 0; i < count; i++)
		fds[i] = open_namespace(pid, kinds[i]);
	/* A PID that was given to another process since must not let a test loose on the machine's own network. */
	if (fstat(fds[0], &theirs) != 0 || stat("/proc/self/ns/net", &ours) != 0 || theirs.st_ino == ours.st_ino)
		errx(126, "PID %s is no node of a testbed", pid);
	for (int i = 0; i < count; i++)
		if (setns(fds[i], 0) != 0)
			err(126, "cannot enter the %s namespace of PID %s", kinds[i], pid);
}

static int run(const char *directory, char **program)
{
	sigset_t watched, before;
	sigemptyset(&watched);
	static const int handed_on[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT, SIGPWR };
	for (size_t i = 0; i < sizeof handed_on / sizeof *handed_on; i++)
		sigaddset(&watched, handed_on[i]);
	sigaddset(&watched, SIGCHLD);
	sigprocmask(SIG_BLOCK, &watched, &before);
	pid_t child = fork();
	if (child < 0)
		err(126, "fork");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigprocmask(SIG_SETMASK, &before, NULL);
		if (chdir(directory) != 0)
			err(126, "cannot change to %s", directory);
		execvp(program[0], program);
		err(errno == ENOENT ? 127 : 126, "cannot run %s", program[0]);
	}
	/* The pipes are the program's alone: who reads them must see its end of file, and who writes must see it close. */
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	for (;;) {
		int status, signal_number = sigwaitinfo(&watched, NULL);
		if (signal_number > 0 && signal_number != SIGCHLD)
			kill(child, signal_number == SIGPWR ? SIGKILL : signal_number);
		if (waitpid(child, &status, WNOHANG) == child)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
}

static void make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(path, 0755);
		*slash = '/';
	}
}

static void write_files(void)
{
	char head[4200], mode[16], path[4096];
	unsigned long size;
	while (fgets(head, sizeof head, stdin)) {
		if (sscanf(head, "%15s %lu %4095[^\n]", mode, &size, path) != 3)
			errx(1, "bad record: %s", head);
		char *bytes = malloc(size + 1);
		if (!bytes || fread(bytes, 1, size, stdin) != size)
			errx(1, "%s: cut short", path);
		int exists = mode[0] == '-';
		if (!exists)
			make_parents(path);
		int fd = open(path, O_WRONLY | O_TRUNC | (exists ? 0 : O_CREAT), 0600);
		/* One write: a file of /proc/sys takes its value whole. */
		if (fd < 0 || (size && write(fd, bytes, size) != (ssize_t)size))
			err(1, "cannot write %s", path);
		if (!exists && fchmod(fd, (mode_t)strtoul(mode, NULL, 8)) != 0)
			err(1, "cannot set the mode of %s", path);
		close(fd);
		free(bytes);
	}
}

static void make_plain(char **devices)
{
	static const __u32 commands[] = { ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO, ETHTOOL_STXCSUM, ETHTOOL_SRXCSUM };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (; *devices; devices++)
		for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
			struct ethtool_value value = { commands[i], 0 };
			struct ifreq request = { 0 };
			snprintf(request.ifr_name, IFNAMSIZ, "%s", *devices);
			request.ifr_data = (void *)&value;
			/* Receive checksums can't be switched on every device, and need not be. */
			if (ioctl(fd, SIOCETHTOOL, &request) != 0 && commands[i] != ETHTOOL_SRXCSUM)
				err(1, "cannot switch offload of %s off", *devices);
		}
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc >= 5 && strcmp(argv[1], "run") == 0) {
		join(argv[2], 1);
		return run(argv[3], argv + 4);
	}
	if (argc >= 4 && strcmp(argv[1], "net") == 0) {
		join(argv[2], 0);
		execvp(argv[3], argv + 3);
		err(127, "cannot run %s", argv[3]);
	}
	if (argc == 3 && strcmp(argv[1], "write") == 0) {
		join(argv[2], 1);
		write_files();
		return 0;
	}
	if (argc >= 4 && strcmp(argv[1], "plain") == 0) {
		join(argv[2], 0);
		make_plain(argv + 3);
		return 0;
	}
	errx(2, "see the head of enter.c");
}
