/*
 * Makes one system call of a command fail, and tells which calls it makes. Preloaded (LD_PRELOAD) into Node.js, it stands
 * between the C library and those that call it: koffi and libbpf for us, and Node.js where it does our work with files
 * and processes. What Node.js does for itself (its event loop, its memory) is left alone, and so is the loading of the
 * command's own code.
 *
 *     FAULTS_LOG    a file: one line for each call, `NAME DETAIL`, with N for each number in a path; `failed NAME DETAIL`
 *                   for one that failed; at the end `open FD NAME DETAIL` for each descriptor and `mapped SIZE` for each
 *                   mapping that is left
 *     FAULTS_FROM   the file that Node.js opens when its own start-up is over
 *     FAULTS_CODE   a folder: files in it are the command's code, but those below bpf-objects/
 *     FAULTS_AT     number of the call that fails, from 1; that and all after it when it is negative; 0 for none
 *     FAULTS_ERRNO  its errno
 *     FAULTS_ONLY   which calls are numbered: NAME, or NAME and DETAIL; all without it
 *     FAULTS_SIGNAL a signal that this process gets, instead of a failing call
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_FDS 4096
#define MAX_MAPPINGS 256

enum caller { OTHERS, NODE, OURS };

static int log_fd = -1;
static atomic_bool active;
static atomic_int counted;
static int fail_at, fail_errno, fail_signal;
static char from_file[PATH_MAX], code_folder[PATH_MAX], only[PATH_MAX];
/* What each descriptor of ours is, for the list at the end; empty for those of others. */
static char descriptors[MAX_FDS][96];
static struct {
	void *address;
	size_t length;
} mappings[MAX_MAPPINGS];
static pid_t self;

static void note(const char *format, ...)
{
	char line[PATH_MAX + 128];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (length > (int)sizeof(line) - 1)
		length = sizeof(line) - 1;
	/* Not by write(), which is one of those below. */
	ssize_t (*real_write)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
	if (log_fd >= 0 && real_write(log_fd, line, length) != length)
		_exit(99);
}

static void copy_variable(char *to, size_t size, const char *name)
{
	const char *value = getenv(name);
	snprintf(to, size, "%s", value == NULL ? "" : value);
}

static int number_of(const char *name)
{
	const char *value = getenv(name);
	return value == NULL ? 0 : atoi(value);
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("FAULTS_LOG");
	/* Not env(1), by which Node.js is found, and not the programs that the command starts. */
	if (path == NULL || strcmp(program_invocation_short_name, "node") != 0)
		return;
	int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
	int (*real_fcntl)(int, int, ...) = dlsym(RTLD_NEXT, "fcntl");
	int fd = real_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	/* Out of the way: the command is to get the descriptors that it always gets. */
	log_fd = real_fcntl(fd, F_DUPFD_CLOEXEC, 900);
	((int (*)(int))dlsym(RTLD_NEXT, "close"))(fd);
	copy_variable(from_file, sizeof(from_file), "FAULTS_FROM");
	copy_variable(code_folder, sizeof(code_folder), "FAULTS_CODE");
	copy_variable(only, sizeof(only), "FAULTS_ONLY");
	fail_at = number_of("FAULTS_AT");
	fail_errno = number_of("FAULTS_ERRNO");
	fail_signal = number_of("FAULTS_SIGNAL");
	self = getpid();
	for (int stream = 0; stream <= 2; stream++)
		snprintf(descriptors[stream], sizeof(descriptors[stream]), "stream");
	unsetenv("LD_PRELOAD");
}

__attribute__((destructor)) static void end(void)
{
	if (getpid() != self)
		return;
	atomic_store(&active, false);
	for (int fd = 3; fd < MAX_FDS; fd++)
		if (descriptors[fd][0] != '\0')
			note("open %d %s\n", fd, descriptors[fd]);
	for (int index = 0; index < MAX_MAPPINGS; index++)
		if (mappings[index].address != NULL)
			note("mapped %zu\n", mappings[index].length);
}

/* What follows is Node.js taking itself down. */
void exit(int status)
{
	atomic_store(&active, false);
	((void (*)(int))dlsym(RTLD_NEXT, "exit"))(status);
	__builtin_unreachable();
}

/* By dladdr(), which walks through all symbols of Node.js, of which there are a hundred thousand. */
static enum caller look_up_caller(void *address)
{
	Dl_info info;
	if (dladdr(address, &info) == 0 || info.dli_fname == NULL)
		return OTHERS;
	if (strstr(info.dli_fname, "koffi") || strstr(info.dli_fname, "libbpf.so") || strstr(info.dli_fname, "libelf"))
		return OURS;
	const char *name = strrchr(info.dli_fname, '/');
	return strncmp(name == NULL ? info.dli_fname : name + 1, "node", 4) == 0 ? NODE : OTHERS;
}

/* The same, remembered: calls come from a few places. */
static enum caller caller_of(void *address)
{
	static struct {
		void *_Atomic address;
		_Atomic enum caller caller;
	} known[1024];
	size_t slot = (uintptr_t)address / 4 % 1024;
	if (known[slot].address == address)
		return known[slot].caller;
	enum caller caller = look_up_caller(address);
	/* A slot is for the first that comes. */
	void *nobody = NULL;
	if (atomic_compare_exchange_strong(&known[slot].address, &nobody, (void *)1)) {
		known[slot].caller = caller;
		known[slot].address = address;
	}
	return caller;
}

/* The command's own code, and whatever Node.js looks for around it. */
static bool is_code(const char *path)
{
	size_t length = strlen(code_folder);
	return strncmp(path, code_folder, length) == 0 && strstr(path, "/bpf-objects/") == NULL;
}

/* Ids in a path differ from run to run: N for each. Names of fixtures, xt…, are the same for all runs of a command. */
static void without_ids(char *text)
{
	char *path = strchr(text, '/'), *to = path;
	bool fixture = false;
	for (const char *from = path; from != NULL && *from != '\0'; from++) {
		if (*from == '/')
			fixture = from[1] == 'x' && from[2] == 't';
		bool digit = !fixture && *from >= '0' && *from <= '9';
		if (!digit || to[-1] != 'N')
			*to++ = digit ? 'N' : *from;
	}
	if (to != NULL)
		*to = '\0';
}

/* Whether a call is one of those that are numbered, and whether it is the one that fails. */
static bool fails(const char *name, const char *detail)
{
	if (!atomic_load(&active) || getpid() != self)
		return false;
	char whole[PATH_MAX + 32];
	snprintf(whole, sizeof(whole), "%s %s", name, detail);
	without_ids(whole);
	note("%s\n", whole);
	if (only[0] != '\0' && strcmp(whole, only) != 0 && strcmp(name, only) != 0)
		return false;
	int number = atomic_fetch_add(&counted, 1) + 1;
	if (fail_at == 0 || (fail_at > 0 ? number != fail_at : number < -fail_at))
		return false;
	note("failed %s\n", whole);
	if (fail_signal != 0) {
		kill(self, fail_signal);
		return false;
	}
	errno = fail_errno;
	return true;
}

static bool is_ours(void *address)
{
	return caller_of(address) == OURS;
}

static bool is_tracked(int fd)
{
	return fd >= 0 && fd < MAX_FDS && descriptors[fd][0] != '\0';
}

static int track(int fd, const char *name, const char *detail)
{
	if (atomic_load(&active) && fd >= 0 && fd < MAX_FDS)
		snprintf(descriptors[fd], sizeof(descriptors[fd]), "%s %s", name, detail);
	return fd;
}

#define RETURN_ADDRESS __builtin_return_address(0)
#define REAL(name) ((__typeof__(&name))real(#name))

/* The next definition of a function, looked up once for each name (the names are literals, so their addresses do). */
static void *real(const char *name)
{
	static struct {
		const char *_Atomic name;
		void *_Atomic function;
	} known[256];
	for (int index = 0; index < 256; index++) {
		if (known[index].name == NULL) {
			void *function = dlsym(RTLD_NEXT, name);
			known[index].function = function;
			known[index].name = name;
			return function;
		}
		if (known[index].name == name && known[index].function != NULL)
			return known[index].function;
	}
	return dlsym(RTLD_NEXT, name);
}

/* Calls that name a file. */

static bool path_fails(const char *name, const char *path, void *address)
{
	enum caller caller = caller_of(address);
	if (caller == NODE && !atomic_load(&active)) {
		size_t length = strlen(path), wanted = strlen(from_file);
		if (wanted > 0 && length >= wanted && strcmp(path + length - wanted, from_file) == 0 &&
		    strncmp(name, "open", 4) == 0)
			atomic_store(&active, true);
		return false;
	}
	return caller != OTHERS && !is_code(path) && fails(name, path);
}

static int open_file(const char *name, void *opener, const char *path, int flags, mode_t mode, void *address)
{
	if (path_fails("open", path, address))
		return -1;
	int fd = ((int (*)(const char *, int, ...))opener)(path, flags, mode);
	return caller_of(address) != OTHERS && !is_code(path) ? track(fd, name, path) : fd;
}

#define OPEN(function)                                                                                  \
	int function(const char *path, int flags, ...)                                                      \
	{                                                                                                   \
		va_list arguments;                                                                              \
		va_start(arguments, flags);                                                                     \
		mode_t mode = va_arg(arguments, mode_t);                                                        \
		va_end(arguments);                                                                              \
		return open_file("open", real(#function), path, flags, mode, RETURN_ADDRESS);                   \
	}
OPEN(open)
OPEN(open64)

#define PATH_CALL(type, function, label, parameters, values, failure)                                   \
	type function parameters                                                                            \
	{                                                                                                   \
		if (path_fails(label, path, RETURN_ADDRESS))                                                    \
			return failure;                                                                             \
		return ((type(*) parameters)real(#function))values;                                             \
	}
PATH_CALL(int, mkdir, "mkdir", (const char *path, mode_t mode), (path, mode), -1)
PATH_CALL(int, rmdir, "rmdir", (const char *path), (path), -1)
PATH_CALL(int, unlink, "unlink", (const char *path), (path), -1)
PATH_CALL(int, rename, "rename", (const char *path, const char *to), (path, to), -1)
PATH_CALL(int, link, "link", (const char *path, const char *to), (path, to), -1)
PATH_CALL(int, symlink, "symlink", (const char *target, const char *path), (target, path), -1)
PATH_CALL(ssize_t, readlink, "readlink", (const char *path, char *to, size_t size), (path, to, size), -1)
PATH_CALL(int, access, "access", (const char *path, int mode), (path, mode), -1)
PATH_CALL(int, chmod, "chmod", (const char *path, mode_t mode), (path, mode), -1)
PATH_CALL(int, statfs, "statfs", (const char *path, struct statfs *to), (path, to), -1)
PATH_CALL(int, statfs64, "statfs", (const char *path, struct statfs64 *to), (path, to), -1)
PATH_CALL(int, stat64, "stat", (const char *path, struct stat64 *to), (path, to), -1)
PATH_CALL(int, lstat64, "lstat", (const char *path, struct stat64 *to), (path, to), -1)
PATH_CALL(int, __xstat64, "stat", (int version, const char *path, struct stat64 *to), (version, path, to), -1)
PATH_CALL(int, __lxstat64, "lstat", (int version, const char *path, struct stat64 *to), (version, path, to), -1)
PATH_CALL(char *, realpath, "realpath", (const char *path, char *to), (path, to), NULL)
PATH_CALL(char *, mkdtemp, "mkdtemp", (char *path), (path), NULL)
PATH_CALL(DIR *, opendir, "opendir", (const char *path), (path), NULL)
PATH_CALL(FILE *, fopen64, "fopen", (const char *path, const char *mode), (path, mode), NULL)
PATH_CALL(int, scandir64, "scandir",
	  (const char *path, struct dirent64 ***to, int (*filter)(const struct dirent64 *),
	   int (*compare)(const struct dirent64 **, const struct dirent64 **)),
	  (path, to, filter, compare), -1)
PATH_CALL(int, mount, "mount",
	  (const char *source, const char *path, const char *type, unsigned long flags, const void *data),
	  (source, path, type, flags, data), -1)

/* Node.js has it by its number. */
static bool statx_fails(int folder, const char *path, void *address)
{
	return path[0] == '\0' ? is_tracked(folder) && fails("fstat", descriptors[folder]) :
				 path_fails("stat", path, address);
}

int statx(int folder, const char *path, int flags, unsigned mask, struct statx *to)
{
	if (statx_fails(folder, path, RETURN_ADDRESS))
		return -1;
	return REAL(statx)(folder, path, flags, mask, to);
}

int faccessat(int folder, const char *path, int mode, int flags)
{
	if (path_fails("access", path, RETURN_ADDRESS))
		return -1;
	return REAL(faccessat)(folder, path, mode, flags);
}

/* Calls on descriptors that calls above and below have made. */

#define FD_CALL(type, function, label, parameters, values)                                              \
	type function parameters                                                                            \
	{                                                                                                   \
		if (is_tracked(fd) && caller_of(RETURN_ADDRESS) != OTHERS && fails(label, descriptors[fd]))     \
			return -1;                                                                                  \
		return ((type(*) parameters)real(#function))values;                                             \
	}
FD_CALL(ssize_t, read, "read", (int fd, void *to, size_t size), (fd, to, size))
FD_CALL(ssize_t, pread64, "read", (int fd, void *to, size_t size, off64_t at), (fd, to, size, at))
FD_CALL(ssize_t, readv, "read", (int fd, const struct iovec *to, int count), (fd, to, count))
FD_CALL(ssize_t, write, "write", (int fd, const void *from, size_t size), (fd, from, size))
FD_CALL(ssize_t, pwrite64, "write", (int fd, const void *from, size_t size, off64_t at), (fd, from, size, at))
FD_CALL(ssize_t, writev, "write", (int fd, const struct iovec *from, int count), (fd, from, count))
FD_CALL(int, __fxstat64, "fstat", (int version, int fd, struct stat64 *to), (version, fd, to))
FD_CALL(int, fstat64, "fstat", (int fd, struct stat64 *to), (fd, to))
FD_CALL(int, fstatfs64, "fstatfs", (int fd, struct statfs64 *to), (fd, to))
FD_CALL(int, ftruncate64, "ftruncate", (int fd, off64_t size), (fd, size))
FD_CALL(int, fsync, "fsync", (int fd), (fd))
FD_CALL(int, fdatasync, "fsync", (int fd), (fd))
FD_CALL(int, fchmod, "fchmod", (int fd, mode_t mode), (fd, mode))
FD_CALL(int, flock, "flock", (int fd, int operation), (fd, operation))

/* Calls that only koffi and libbpf make for us. */

#define OUR_CALL(type, function, parameters, values)                                                    \
	type function parameters                                                                            \
	{                                                                                                   \
		if (is_ours(RETURN_ADDRESS) && fails(#function, is_tracked(fd) ? descriptors[fd] : ""))         \
			return -1;                                                                                  \
		return ((type(*) parameters)real(#function))values;                                             \
	}
OUR_CALL(int, setns, (int fd, int type), (fd, type))
OUR_CALL(int, bind, (int fd, const struct sockaddr *address, socklen_t length), (fd, address, length))
OUR_CALL(int, getsockname, (int fd, struct sockaddr *to, socklen_t *length), (fd, to, length))
OUR_CALL(ssize_t, send, (int fd, const void *from, size_t size, int flags), (fd, from, size, flags))
OUR_CALL(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
OUR_CALL(ssize_t, recv, (int fd, void *to, size_t size, int flags), (fd, to, size, flags))
OUR_CALL(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
OUR_CALL(int, setsockopt, (int fd, int level, int option, const void *value, socklen_t length),
	 (fd, level, option, value, length))
OUR_CALL(int, getsockopt, (int fd, int level, int option, void *value, socklen_t *length),
	 (fd, level, option, value, length))

int poll(struct pollfd *descriptors_, nfds_t count, int milliseconds)
{
	if (is_ours(RETURN_ADDRESS) && fails("poll", ""))
		return -1;
	return REAL(poll)(descriptors_, count, milliseconds);
}

int socket(int domain, int type, int protocol)
{
	bool ours = is_ours(RETURN_ADDRESS);
	char detail[32];
	snprintf(detail, sizeof(detail), "family %d", domain);
	if (ours && fails("socket", detail))
		return -1;
	int fd = REAL(socket)(domain, type, protocol);
	return ours ? track(fd, "socket", detail) : fd;
}

static int control(const char *name, void *function, int fd, long command, void *argument, void *address)
{
	bool ours = is_ours(address);
	char detail[32];
	snprintf(detail, sizeof(detail), "%ld", command);
	if (ours && fails(name, detail))
		return -1;
	int result = ((int (*)(int, long, void *))function)(fd, command, argument);
	bool copies = strcmp(name, "fcntl") == 0 && (command == F_DUPFD || command == F_DUPFD_CLOEXEC);
	return ours && copies ? track(result, "copy of", is_tracked(fd) ? descriptors[fd] : "") : result;
}

#define CONTROL(function, label, type)                                                                  \
	int function(int fd, type command, ...)                                                             \
	{                                                                                                   \
		va_list arguments;                                                                              \
		va_start(arguments, command);                                                                   \
		void *argument = va_arg(arguments, void *);                                                     \
		va_end(arguments);                                                                              \
		return control(label, real(#function), fd, (long)command, argument, RETURN_ADDRESS);            \
	}
CONTROL(fcntl, "fcntl", int)
CONTROL(fcntl64, "fcntl", int)
CONTROL(ioctl, "ioctl", unsigned long)

/* bpf(), perf_event_open(), pidfd_open() and others without a function of their own. */
long syscall(long number, ...)
{
	va_list arguments;
	va_start(arguments, number);
	long values[6];
	for (int index = 0; index < 6; index++)
		values[index] = va_arg(arguments, long);
	va_end(arguments);
	long (*next)(long, ...) = real("syscall");
	bool ours = is_ours(RETURN_ADDRESS);
	if (number == SYS_close)
		return close((int)values[0]);
	if (number == SYS_statx && statx_fails((int)values[0], (const char *)values[1], RETURN_ADDRESS))
		return -1;
	char name[32], detail[32];
	snprintf(name, sizeof(name), number == SYS_bpf ? "bpf" : "syscall_%ld", number);
	snprintf(detail, sizeof(detail), "%ld", values[0]);
	if (ours && fails(name, detail))
		return -1;
	long result = next(number, values[0], values[1], values[2], values[3], values[4], values[5]);
	if (!ours || result < 0)
		return result;
	/* BPF_MAP_CREATE, PROG_LOAD, OBJ_GET, *_GET_FD_BY_ID, RAW_TRACEPOINT_OPEN, BTF_LOAD, BTF_GET_FD_BY_ID, LINK_CREATE,
	 * LINK_GET_FD_BY_ID (enum bpf_cmd) give descriptors; so do pidfd_open and pidfd_getfd. */
	static const long makers[] = {0, 5, 7, 13, 14, 17, 18, 19, 28, 30};
	for (size_t index = 0; number == SYS_bpf && index < sizeof(makers) / sizeof(makers[0]); index++)
		if (values[0] == makers[index])
			track(result, name, detail);
	if (number == SYS_pidfd_open || number == SYS_pidfd_getfd || number == SYS_perf_event_open)
		track(result, name, "");
	return result;
}

int epoll_create1(int flags)
{
	bool ours = is_ours(RETURN_ADDRESS);
	if (ours && fails("epoll_create1", ""))
		return -1;
	int fd = ((int (*)(int))real("epoll_create1"))(flags);
	return ours ? track(fd, "epoll", "") : fd;
}

int dup3(int from, int to, int flags)
{
	if (is_ours(RETURN_ADDRESS) && fails("dup3", ""))
		return -1;
	int fd = REAL(dup3)(from, to, flags);
	return is_ours(RETURN_ADDRESS) ? track(fd, "copy of", is_tracked(from) ? descriptors[from] : "") : fd;
}

static void *map_memory(void *mapper, void *address, size_t length, int protection, int flags, int fd, off64_t offset,
			void *caller)
{
	bool ours = is_ours(caller);
	char detail[32];
	snprintf(detail, sizeof(detail), "%zu", length);
	/* Without memory for itself, when it is loaded and for each thread, koffi ends the process: not what is looked at. */
	if ((flags & MAP_ANONYMOUS) != 0 && (flags & MAP_POPULATE) == 0)
		ours = false;
	if (ours && fails("mmap", detail))
		return MAP_FAILED;
	void *result =
		((void *(*)(void *, size_t, int, int, int, off64_t))mapper)(address, length, protection, flags, fd, offset);
	for (int index = 0; ours && atomic_load(&active) && result != MAP_FAILED && index < MAX_MAPPINGS; index++) {
		if (mappings[index].address != NULL)
			continue;
		mappings[index].address = result;
		mappings[index].length = length;
		break;
	}
	return result;
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
	return map_memory(real("mmap"), address, length, protection, flags, fd, offset, RETURN_ADDRESS);
}

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset)
{
	return map_memory(real("mmap64"), address, length, protection, flags, fd, offset, RETURN_ADDRESS);
}

int munmap(void *address, size_t length)
{
	for (int index = 0; index < MAX_MAPPINGS; index++)
		if (mappings[index].address == address)
			mappings[index].address = NULL;
	return REAL(munmap)(address, length);
}

/* A descriptor is free again whatever close() says. */
int close(int fd)
{
	if (is_tracked(fd) && getpid() == self)
		descriptors[fd][0] = '\0';
	return REAL(close)(fd);
}

/* Node.js starts programs for us. */

pid_t fork(void)
{
	if (caller_of(RETURN_ADDRESS) == NODE && fails("fork", ""))
		return -1;
	return REAL(fork)();
}

int socketpair(int domain, int type, int protocol, int pair[2])
{
	bool node = caller_of(RETURN_ADDRESS) == NODE;
	if (node && fails("socketpair", ""))
		return -1;
	return REAL(socketpair)(domain, type, protocol, pair);
}

int pipe2(int pair[2], int flags)
{
	if (caller_of(RETURN_ADDRESS) == NODE && fails("pipe2", ""))
		return -1;
	return REAL(pipe2)(pair, flags);
}
