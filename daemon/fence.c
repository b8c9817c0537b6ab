/*
 * fence.c: no_new_privs, Landlock and seccomp for one worker.
 *
 * Landlock is asked for its version and given only what that version knows (1:
 * files, 2: rename across directories, 3: truncate, 4: TCP). Its headers in
 * Debian 12 end at version 2, so the few numbers beyond are named here. seccomp
 * answers EPERM instead of killing: a library that probes for a syscall then
 * falls back, and what an intruder would need is refused all the same.
 */
#include "daemon/fence.h"

#include "daemon/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
/* The sanitizers' runtime reads /proc, starts tracers at exit and maps at will. */
enum { RELAXED = 1 };
#else
enum { RELAXED = 0 };
#endif

void fence_read(struct fence *f, const char *path) {
    size_t n = 0;

    while (f->read[n] != NULL)
        n++;
    if (path != NULL && path[0] != '\0' && n < FENCE_PATHS)
        f->read[n] = path;
}

void fence_write(struct fence *f, const char *path) {
    size_t n = 0;

    while (f->write[n] != NULL)
        n++;
    if (path != NULL && path[0] != '\0' && n < FENCE_PATHS)
        f->write[n] = path;
}

void fence_basics(void) {
    struct rlimit none = { 0, 0 };

    prctl(PR_SET_DUMPABLE, 0);
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void fence_files(void) {
    if (syscall(SYS_close_range, 4u, ~0u, 0u) < 0)
        for (int fd = 4; fd < 1024; fd++)
            close(fd);
}

/* ------------------------------------------------------------------ Landlock */

struct ruleset {
    uint64_t fs, net;
};
struct net_port {
    uint64_t access, port;
};
enum { NET_BIND_TCP = 1 << 0, NET_CONNECT_TCP = 1 << 1, RULE_NET_PORT = 2 };
enum { FS_TRUNCATE = 1 << 14 };
enum {
    FS_ALL_1 = (1 << 13) - 1,
    FS_READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    FS_FILE =
        LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_EXECUTE | FS_TRUNCATE,
    FS_WRITE = FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
               LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
               LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE,
};

/* What every C library needs to resolve a name, check a certificate, convert a text. */
/* clang-format off */
static const char *const always_read[] = {
    "/usr", "/lib", "/lib64", "/etc/ssl", "/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf",
    "/etc/gai.conf", "/etc/services", "/etc/protocols", "/etc/localtime", "/etc/timezone", "/etc/ld.so.cache",
    "/etc/passwd", "/etc/group", "/etc/ca-certificates", "/etc/gnutls", "/run/systemd/resolve", "/dev/null",
    "/dev/zero", "/dev/urandom", "/dev/random", "/sys/devices/system/cpu", NULL,
};
/* clang-format on */

static int allow_path(int ruleset, const char *path, uint64_t access) {
    struct landlock_path_beneath_attr rule;
    struct stat st;
    int r = 0, fd = open(path, O_PATH | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -errno;
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
        access &= FS_FILE;
    rule.allowed_access = access;
    rule.parent_fd = fd;
    if (access != 0 && syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
        r = -errno;
    close(fd);
    return r;
}

static int allow_paths(int ruleset, const struct fence *f, uint64_t known) {
    size_t i;
    int r = 0;

    for (i = 0; r == 0 && always_read[i] != NULL; i++)
        r = allow_path(ruleset, always_read[i], FS_READ & known);
    for (i = 0; r == 0 && f->read[i] != NULL; i++)
        r = allow_path(ruleset, f->read[i], FS_READ & known);
    for (i = 0; r == 0 && f->write[i] != NULL; i++)
        r = allow_path(ruleset, f->write[i], FS_WRITE & known);
    if (r == 0)
        r = allow_path(ruleset, "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE);
    if (r == 0 && RELAXED)
        r = allow_path(ruleset, "/proc", FS_READ & known);
    if (r == 0 && (f->flags & FENCE_EXEC) != 0) {
        r = allow_path(ruleset, "/proc/self/exe", LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE);
        /* The kernel starts the interpreter named in the program. */
        if (r == 0)
            r = allow_path(ruleset, "/lib64/ld-linux-x86-64.so.2", LANDLOCK_ACCESS_FS_EXECUTE);
        if (r == 0)
            r = allow_path(ruleset, "/lib/ld-linux-aarch64.so.1", LANDLOCK_ACCESS_FS_EXECUTE);
    }
    return r;
}

static int allow_port(int ruleset, const struct fence *f) {
    struct net_port rule = { .access = NET_CONNECT_TCP, .port = f->port };

    if (f->port == 0 || (f->flags & FENCE_CONNECT) != 0)
        return 0;
    return syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) < 0 ? -errno : 0;
}

static int close_landlock(const struct fence *f) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    struct ruleset set = { .fs = FS_ALL_1 };
    int r, fd;

    if (version < 1) {
        log_info("this kernel has no landlock: files are fenced by permissions and systemd only");
        return 0;
    }
    if (version >= 2)
        set.fs |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3)
        set.fs |= FS_TRUNCATE;
    if (version >= 4)
        set.net = ((f->flags & FENCE_LISTEN) != 0 ? 0 : NET_BIND_TCP) |
                  ((f->flags & FENCE_CONNECT) != 0 ? 0 : NET_CONNECT_TCP);
    fd = (int)syscall(SYS_landlock_create_ruleset, &set, version >= 4 ? sizeof(set) : sizeof(set.fs), 0);
    if (fd < 0)
        return -errno;
    r = allow_paths(fd, f, set.fs);
    if (r == 0 && version >= 4)
        r = allow_port(fd, f);
    if (r == 0 && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
        r = -errno;
    close(fd);
    return r;
}

/* ------------------------------------------------------------------- seccomp */

/* clang-format off */
static const char *const calls_base[] = {
    "read", "write", "readv", "writev", "pread64", "pwrite64", "close", "close_range", "fstat", "stat", "lstat",
    "newfstatat", "statx", "lseek", "mmap", "mprotect", "munmap", "mremap", "madvise", "brk", "rt_sigaction",
    "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "sigaltstack", "ioctl", "access", "faccessat",
    "faccessat2", "pipe", "pipe2", "select", "pselect6", "poll", "ppoll", "epoll_create1", "epoll_ctl",
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2", "timerfd_create", "timerfd_settime", "signalfd4",
    "dup", "dup2", "dup3", "getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getresuid",
    "getresgid", "getgroups", "fcntl", "flock", "fsync", "fdatasync", "ftruncate", "truncate", "getdents64",
    "getcwd", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "link",
    "linkat", "readlink", "readlinkat", "chmod", "fchmod", "fchmodat", "umask", "utimensat", "openat", "open",
    "creat", "gettimeofday", "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "time", "times",
    "getrusage", "sysinfo", "uname", "getrandom", "futex", "set_robust_list", "get_robust_list",
    "set_tid_address", "arch_prctl", "prctl", "rseq", "prlimit64", "getrlimit", "setrlimit", "sched_yield",
    "sched_getaffinity", "exit", "exit_group", "restart_syscall", "tgkill", "kill", "wait4", "waitid", "fadvise64",
    "fallocate", "statfs", "fstatfs", "mlock", "munlock", "mincore", "fchown", "geteuid", "alarm", "setitimer", NULL,
};
/* clang-format on */
/* clang-format off */
static const char *const calls_network[] = {
    "connect", "sendto", "recvfrom", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "shutdown", "getsockname",
    "getpeername", "setsockopt", "getsockopt", "bind", NULL,
};
/* clang-format on */
static const char *const calls_listen[] = { "listen", "accept", "accept4", NULL };
/* The parse worker closes a fence of its own inside the receiver's. */
static const char *const calls_exec[] = {
    "execve",  "socketpair", "vfork", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self",
    "seccomp", NULL,
};
static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

static int allow_calls(scmp_filter_ctx filter, const char *const *names) {
    int r, number;

    for (; *names != NULL; names++) {
        number = seccomp_syscall_resolve_name(*names);
        if (number == __NR_SCMP_ERROR || number < 0)
            continue; /* not on this architecture */
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
        if (r < 0 && r != -EEXIST)
            return r;
    }
    return 0;
}

/* Threads (libcurl resolves names in one) and forks, but no new namespaces. clone3 hides its
 * flags from a filter: ENOSYS makes the C library use clone. */
static int allow_clone(scmp_filter_ctx filter) {
    const scmp_datum_t spaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                CLONE_NEWPID | CLONE_NEWNET;
    int r =
        seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, spaces, 0));

    return r < 0 ? r : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

static int allow_sockets(scmp_filter_ctx filter) {
    size_t i;
    int r = 0;

    for (i = 0; r == 0 && i < sizeof(families) / sizeof(families[0]); i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                             SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
    return r;
}

static int close_seccomp(const struct fence *f) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int r;

    if (filter == NULL)
        return -ENOMEM;
    r = allow_calls(filter, calls_base);
    if (r == 0 && (f->flags & FENCE_NETWORK) != 0)
        r = allow_calls(filter, calls_network);
    if (r == 0 && (f->flags & FENCE_NETWORK) != 0)
        r = allow_sockets(filter);
    if (r == 0 && (f->flags & FENCE_LISTEN) != 0)
        r = allow_calls(filter, calls_listen);
    if (r == 0 && (f->flags & FENCE_EXEC) != 0)
        r = allow_calls(filter, calls_exec);
    if (r == 0 && (f->flags & (FENCE_NETWORK | FENCE_EXEC)) != 0)
        r = allow_clone(filter);
    if (r == 0)
        r = seccomp_load(filter);
    seccomp_release(filter);
    return r;
}

int fence_close(const struct fence *f) {
    int r = close_landlock(f);

    if (r < 0) {
        log_error("cannot close the landlock fence: %s", strerror(-r));
        return r;
    }
    if (RELAXED)
        return 0;
    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) {
        log_info("this kernel has no seccomp filter: system calls are fenced by systemd only");
        return 0;
    }
    r = close_seccomp(f);
    if (r < 0)
        log_error("cannot close the seccomp fence: %s", strerror(-r));
    return r;
}
