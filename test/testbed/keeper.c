/*
 * keeper: the anchor of one testbed.
 *
 *   keeper KEEP...
 *
 * It makes a PID, mount, network and IPC namespace and keeps them while its standard input is open. At end of file, or when it is
 * killed, the kernel ends every process in them, and with the last process go the namespaces and their devices. So nothing outlives
 * the program that holds the other end of standard input, however that program ends.
 *
 * Each line `NAME` on standard input makes a node: a process that does nothing, PID 1 of a PID namespace of its own, in a network,
 * mount, UTS and IPC namespace of its own. The answer is a line `NAME PID` (as seen from outside) or `NAME error: why`.
 *
 * A node sees the machine's files, but /etc, /var, /root and /usr/local are copies on write, /tmp, /run and /dev/shm are empty, /proc
 * and /sys are its own, and Binder's own files of /etc are not there. KEEP are directories that every node sees as they are outside.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE = 512 };

static char **keep;

static void mount_or_die(const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
	if (mount(source, target, type, flags, data) != 0)
		err(1, "cannot mount %s on %s", type ? type : source, target);
}

static void make_directories(const char *path)
{
	char copy[4096];
	snprintf(copy, sizeof copy, "%s", path);
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(copy, 0755);
		*slash = '/';
	}
	mkdir(copy, 0755);
}

/* A copy on write of a directory of the machine. The upper half lies on the tmpfs at /tmp that is covered afterwards. */
static void copy_on_write(const char *path, int number)
{
	char upper[64], work[64], options[256];
	struct stat status;
	if (stat(path, &status) != 0)
		return;
	snprintf(upper, sizeof upper, "/tmp/upper%d", number);
	snprintf(work, sizeof work, "/tmp/work%d", number);
	mkdir(upper, 0755);
	mkdir(work, 0755);
	snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s", path, upper, work);
	mount_or_die("overlay", path, "overlay", 0, options);
	if (chmod(path, status.st_mode & 07777) != 0)
		err(1, "chmod %s", path);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status, (void)type, (void)walk;
	return remove(path);
}

static void remove_matching(const char *pattern)
{
	glob_t found;
	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			nftw(found.gl_pathv[i], remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	globfree(&found);
}

static void make_files(void)
{
	static const char *const copied[] = { "/etc", "/var", "/root", "/usr/local" };
	int originals[16];
	int kept = 0;
	mount_or_die("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	for (; kept < 16 && keep[kept]; kept++)
		if ((originals[kept] = open(keep[kept], O_PATH | O_CLOEXEC)) < 0)
			err(1, "cannot open %s", keep[kept]);
	mount_or_die("tmpfs", "/tmp", "tmpfs", 0, "mode=755");
	for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
		copy_on_write(copied[i], (int)i);
	mount_or_die("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
	mount_or_die("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755");
	mkdir("/run/lock", 0755);
	if (access("/dev/shm", F_OK) == 0)
		mount_or_die("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
	mount_or_die("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_or_die("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	for (int i = 0; i < kept; i++) {
		char original[64];
		struct stat before, now;
		snprintf(original, sizeof original, "/proc/self/fd/%d", originals[i]);
		if (fstat(originals[i], &before) != 0)
			err(1, "cannot stat %s", keep[i]);
		if (stat(keep[i], &now) != 0 || now.st_dev != before.st_dev || now.st_ino != before.st_ino) {
			make_directories(keep[i]);
			mount_or_die(original, keep[i], NULL, MS_BIND | MS_REC, NULL);
		}
		close(originals[i]);
	}
	remove_matching("/etc/config/binder*");
	remove_matching("/etc/binder*");
}

/* A message to the outer process. The kernel adds the sender's PID as the outer process sees it. */
static void tell(int socket, const char *text)
{
	if (send(socket, text, strlen(text), MSG_NOSIGNAL) < 0)
		exit(1);
}

static void hold(int socket, const char *name)
{
	int complaint[2];
	char why[LINE], text[LINE * 2];
	if (pipe2(complaint, O_CLOEXEC) != 0)
		err(1, "pipe");
	/* The set-up may die by err(): a child does it, and what it complains of is handed on. It shares this mount namespace. */
	pid_t child = fork();
	if (child == 0) {
		dup2(complaint[1], STDERR_FILENO);
		make_files();
		_exit(0);
	}
	close(complaint[1]);
	ssize_t length = read(complaint[0], why, sizeof why - 1);
	int status = 1;
	waitpid(child, &status, 0);
	close(complaint[0]);
	why[length > 0 ? length : 0] = 0;
	why[strcspn(why, "\n")] = 0;
	if (status != 0) {
		snprintf(text, sizeof text, "%s error: %s", name, why);
		tell(socket, text);
		_exit(1);
	}
	if (sethostname(name, strlen(name)) != 0)
		err(1, "sethostname");
	tell(socket, name);
	close(socket);
	/* PID 1 that ignores SIGCHLD has its orphans reaped by the kernel. */
	signal(SIGCHLD, SIG_IGN);
	for (;;)
		pause();
}

static pid_t fork_with(unsigned long flags)
{
	if (unshare((int)flags) != 0)
		err(1, "unshare");
	return fork();
}

static void inner(int socket)
{
	char name[LINE];
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		ssize_t length = recv(socket, name, sizeof name - 1, 0);
		if (length <= 0)
			_exit(0);
		name[length] = 0;
		/* The child unshares, so that this process stays where it is; its own child is the node's PID 1. */
		pid_t child = fork();
		if (child == 0) {
			signal(SIGCHLD, SIG_DFL);
			pid_t holder = fork_with(CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC);
			if (holder == 0)
				hold(socket, name);
			_exit(holder < 0);
		}
	}
}

static void answer(int socket)
{
	char text[LINE * 2], control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec part = { text, sizeof text - 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	ssize_t length = recvmsg(socket, &message, 0);
	if (length <= 0)
		return;
	text[length] = 0;
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	struct ucred sender = { 0 };
	if (header && header->cmsg_type == SCM_CREDENTIALS)
		memcpy(&sender, CMSG_DATA(header), sizeof sender);
	if (strstr(text, " error: "))
		printf("%s\n", text);
	else
		printf("%s %d\n", text, (int)sender.pid);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int pair[2], yes = 1;
	if (argc < 1)
		return 2;
	keep = argv + 1;
	signal(SIGPIPE, SIG_IGN);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0 ||
	    setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0)
		err(1, "socketpair");
	pid_t child = fork_with(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC);
	if (child < 0)
		err(1, "fork");
	if (child == 0) {
		int null = open("/dev/null", O_RDWR);
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		close(null);
		close(pair[0]);
		inner(pair[1]);
	}
	close(pair[1]);
	struct pollfd waits[2] = { { STDIN_FILENO, POLLIN, 0 }, { pair[0], POLLIN, 0 } };
	char line[LINE];
	size_t used = 0;
	while (poll(waits, 2, -1) > 0 || errno == EINTR) {
		if (waits[1].revents & POLLIN)
			answer(pair[0]);
		else if (waits[1].revents)
			break;
		if (!waits[0].revents)
			continue;
		ssize_t length = read(STDIN_FILENO, line + used, sizeof line - used);
		if (length <= 0)
			break;
		used += (size_t)length;
		for (char *end; (end = memchr(line, '\n', used)); ) {
			size_t size = (size_t)(end - line);
			if (size && send(pair[0], line, size, MSG_NOSIGNAL) < 0)
				err(1, "send");
			used -= size + 1;
			memmove(line, end + 1, used);
		}
		if (used == sizeof line)
			errx(1, "line too long");
	}
	/* Reaping PID 1 waits for every process of its namespace. */
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return 0;
}
