// SPDX-License-Identifier: Apache-2.0
// libgomp's threads wait for work in a loop, and go to sleep after 300,000 rounds: some milliseconds. While they wait,
// whoever shares their processors stands still, and two programs at once become tens of times slower. After 3,000
// rounds they are still awake when the next small kernel comes, and out of the way of others soon after.
//
// The number is read from the environment when the library is loaded, which is before main. The functions of this
// section run before the libraries' own, but what they set in the environment is not kept; so the program starts itself
// anew with the setting, once, before anything has happened.
#if defined(__linux__)
#include <features.h>
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
// Their run-time libraries are not ready that early.
#define KS_SANITIZED 1
#endif
#endif

// Other C libraries do not hand the environment to these functions.
#if defined(__GLIBC__) && !defined(KS_SANITIZED)
#include <string.h>
#include <unistd.h>

static char setting[] = "GOMP_SPINCOUNT=3000";

static int begins(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

static void shorten_waiting(int count, char **arguments, char **environment) {
  (void)count;
  size_t size = 0;
  for (; environment[size] != NULL; size++) {
    // Whoever has chosen knows better.
    if (begins(environment[size], "GOMP_SPINCOUNT=") || begins(environment[size], "OMP_WAIT_POLICY=")) return;
  }
  char *extended[size + 2];
  memcpy(extended, environment, size * sizeof *environment);
  extended[size] = setting;
  extended[size + 1] = NULL;
  // Where it cannot be, nothing is lost but the setting.
  execve("/proc/self/exe", arguments, extended);
}

__attribute__((section(".preinit_array"), used)) static void (*const hook)(int, char **, char **) = shorten_waiting;
#endif
