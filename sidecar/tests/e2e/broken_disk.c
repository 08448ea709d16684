/* Loaded into a daemon by a test: while the file BROKEN_WHILE is there, whatever is written to files
 * below BROKEN_FOLDER fails with EIO, as on a disk that dies. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int broken(int fd) {
  const char *folder = getenv("BROKEN_FOLDER"), *flag = getenv("BROKEN_WHILE");
  char link[64], path[4096];
  if (!folder || !flag || access(flag, F_OK) != 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strncmp(path, folder, strlen(folder)) == 0;
}

#define BREAK(result, name, parameters, arguments)                     \
  result name parameters {                                             \
    static result(*real) parameters;                                   \
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name);              \
    int before = errno;                                                \
    if (broken(fd)) {                                                  \
      errno = EIO;                                                     \
      return -1;                                                       \
    }                                                                  \
    errno = before;                                                    \
    return real arguments;                                             \
  }

BREAK(ssize_t, write, (int fd, const void *bytes, size_t count), (fd, bytes, count))
BREAK(ssize_t, pwrite, (int fd, const void *bytes, size_t count, off_t at), (fd, bytes, count, at))
BREAK(ssize_t, pwrite64, (int fd, const void *bytes, size_t count, off64_t at), (fd, bytes, count, at))
BREAK(int, fsync, (int fd), (fd))
BREAK(int, fdatasync, (int fd), (fd))
BREAK(int, ftruncate, (int fd, off_t length), (fd, length))
BREAK(int, ftruncate64, (int fd, off64_t length), (fd, length))
