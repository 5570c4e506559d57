// SPDX-License-Identifier: Apache-2.0
// Transfers by libcurl. It is loaded when the first transfer begins: linked, it and the thirty libraries that it needs
// would take 13 ms of every start of the program.
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "ks_library.h"
#include "ks_transfer.h"

static struct {
  CURLcode (*global_init)(long);
  CURL *(*easy_init)(void);
  CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
  CURLcode (*easy_perform)(CURL *);
  CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
  const char *(*easy_strerror)(CURLcode);
  void (*easy_cleanup)(CURL *);
} library;
static bool is_loaded;
static char load_reason[192];

static void load_library(void) {
#ifdef __APPLE__
  static const char *const names[] = {"libcurl.4.dylib"};
#else
  static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
#endif
  const ks_library_function functions[] = {
      {"curl_global_init", (void **)&library.global_init},
      {"curl_easy_init", (void **)&library.easy_init},
      {"curl_easy_setopt", (void **)&library.easy_setopt},
      {"curl_easy_perform", (void **)&library.easy_perform},
      {"curl_easy_getinfo", (void **)&library.easy_getinfo},
      {"curl_easy_strerror", (void **)&library.easy_strerror},
      {"curl_easy_cleanup", (void **)&library.easy_cleanup},
  };
  const char *missing = KS_LIBRARY_LOAD(names, functions);
  if (missing) {
    const char *what = missing[0] ? "libcurl has no " : "libcurl is missing: apt-get install libcurl4";
    snprintf(load_reason, sizeof load_reason, "%s%s", what, missing);
    return;
  }
  if (library.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    snprintf(load_reason, sizeof load_reason, "libcurl cannot begin");
    return;
  }
  is_loaded = true;
}

typedef struct {
  const ks_transfer_request *request;
  CURL *handle;
  ks_transfer_head head;
  bool is_begun, is_stopped, is_stalled;
  int64_t received;
  int64_t last_change;
} transfer;

static int64_t milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context) {
  transfer *t = context;
  static const char range[] = "content-range: bytes ";
  count *= size;
  t->last_change = milliseconds();
  if (count > 5 && strncmp(bytes, "HTTP/", 5) == 0) {
    // Another answer, after a redirection.
    t->head = (ks_transfer_head){.length = -1};
  } else if (count > sizeof range && strncasecmp(bytes, range, sizeof range - 1) == 0) {
    t->head.start = strtoll(bytes + sizeof range - 1, NULL, 10);
  }
  return count;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
  transfer *t = context;
  count *= size;
  t->last_change = milliseconds();
  if (!t->is_begun) {
    long status = 0;
    curl_off_t length = -1;
    library.easy_getinfo(t->handle, CURLINFO_RESPONSE_CODE, &status);
    library.easy_getinfo(t->handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    t->head.status = (int32_t)status;
    t->head.length = length;
    if (status != 206) t->head.start = 0;
    t->is_begun = true;
  }
  t->received += (int64_t)count;
  // A status that is no success ends the transfer, which the caller is told of.
  if (t->head.status != 200 && t->head.status != 206) return 0;
  if (t->request->receive(t->request->context, &t->head, (const uint8_t *)bytes, count)) return count;
  t->is_stopped = true;
  return 0;
}

static int look_at_clock(void *context, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up) {
  (void)total, (void)now, (void)up_total, (void)up;
  transfer *t = context;
  t->is_stalled = milliseconds() - t->last_change > t->request->stall_milliseconds;
  return t->is_stalled;
}

static bool is_passing_status(long status) {
  return status == 408 || status == 425 || status == 429 || (status >= 500 && status != 501 && status != 505);
}

static bool is_lasting(CURLcode code) {
  switch (code) {
  case CURLE_UNSUPPORTED_PROTOCOL:
  case CURLE_URL_MALFORMAT:
  case CURLE_COULDNT_RESOLVE_PROXY:
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_OUT_OF_MEMORY:
  case CURLE_TOO_MANY_REDIRECTS:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CACERT_BADFILE: return true;
  default: return false;
  }
}

ks_transfer_result ks_transfer(const ks_transfer_request *request) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  ks_transfer_result result = {.end = KS_TRANSFER_REFUSED};
  pthread_once(&once, load_library);
  if (!is_loaded) {
    snprintf(result.reason, sizeof result.reason, "%s", load_reason);
    return result;
  }
  CURL *handle = library.easy_init();
  if (!handle) {
    snprintf(result.reason, sizeof result.reason, "libcurl cannot begin");
    return result;
  }
  transfer t = {.request = request, .handle = handle, .last_change = milliseconds()};
  t.head.length = -1;
  char range[32], problem[CURL_ERROR_SIZE] = "";
  snprintf(range, sizeof range, "%lld-", (long long)request->start);
  library.easy_setopt(handle, CURLOPT_URL, request->address);
#if LIBCURL_VERSION_NUM >= 0x075500
  library.easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  library.easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
  library.easy_setopt(handle, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
  library.easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  library.easy_setopt(handle, CURLOPT_USERAGENT, "kasane");
  library.easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
  library.easy_setopt(handle, CURLOPT_MAXREDIRS, 10L);
  library.easy_setopt(handle, CURLOPT_FAILONERROR, 1L);
  library.easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  library.easy_setopt(handle, CURLOPT_ERRORBUFFER, problem);
  library.easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_milliseconds);
  library.easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  library.easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, look_at_clock);
  library.easy_setopt(handle, CURLOPT_XFERINFODATA, &t);
  library.easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
  library.easy_setopt(handle, CURLOPT_HEADERDATA, &t);
  library.easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
  library.easy_setopt(handle, CURLOPT_WRITEDATA, &t);
  if (request->start > 0) library.easy_setopt(handle, CURLOPT_RANGE, range);

  CURLcode code = library.easy_perform(handle);
  long status = 0;
  library.easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  result.status = (int32_t)status;
  bool is_success = status == 200 || status == 206;
  if (code == CURLE_OK && is_success) {
    result.end = KS_TRANSFER_COMPLETE;
  } else if (t.is_stopped) {
    result.end = KS_TRANSFER_STOPPED;
  } else if (t.is_stalled) {
    result.end = KS_TRANSFER_BROKEN;
    snprintf(result.reason, sizeof result.reason, "nothing came for %g s", request->stall_milliseconds / 1000.0);
  } else if (status >= 400 || code == CURLE_OK || (t.is_begun && !is_success)) {
    result.end = is_passing_status(status) ? KS_TRANSFER_BROKEN : KS_TRANSFER_REFUSED;
    snprintf(result.reason, sizeof result.reason, "HTTP status %ld", status);
  } else {
    result.end = is_lasting(code) ? KS_TRANSFER_REFUSED : KS_TRANSFER_BROKEN;
    snprintf(result.reason, sizeof result.reason, "%s", *problem ? problem : library.easy_strerror(code));
  }
  library.easy_cleanup(handle);
  return result;
}
