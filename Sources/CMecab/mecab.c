// SPDX-License-Identifier: Apache-2.0
// MeCab is loaded, not linked: only who reads Japanese needs it, and everything else runs without.
#include "ks_mecab.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "ks_library.h"

static struct {
  void *(*new)(int, char **);
  const char *(*words)(void *, const char *, size_t);
  void (*destroy)(void *);
} library;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char problem[192];

static void load_library(void) {
#ifdef __APPLE__
  static const char *const names[] = {"libmecab.2.dylib", "/opt/homebrew/lib/libmecab.2.dylib"};
#else
  static const char *const names[] = {"libmecab.so.2"};
#endif
  const ks_library_function functions[] = {
      {"mecab_new", (void **)&library.new},
      {"mecab_sparse_tostr2", (void **)&library.words},
      {"mecab_destroy", (void **)&library.destroy},
  };
  const char *missing = KS_LIBRARY_LOAD(names, functions);
  if (!missing) return;
  if (missing[0]) {
    snprintf(problem, sizeof problem, "the library MeCab has no %s", missing);
  } else {
    snprintf(problem, sizeof problem,
             "the library MeCab is missing: apt-get install libmecab2 mecab-ipadic-utf8 (Homebrew: mecab mecab-ipadic)");
  }
}

ks_mecab *ks_mecab_open(const char *dictionary, char *reason, size_t size) {
  pthread_once(&once, load_library);
  if (problem[0]) {
    snprintf(reason, size, "%s", problem);
    return NULL;
  }
  char *arguments[] = {(char *)"mecab", (char *)"-Owakati", (char *)"-d", (char *)dictionary};
  void *tagger = library.new(dictionary ? 4 : 2, arguments);
  if (!tagger) {
    snprintf(reason, size, "MeCab has no dictionary%s%s: apt-get install mecab-ipadic-utf8", dictionary ? " in " : "",
             dictionary ? dictionary : "");
  }
  return tagger;
}

const char *ks_mecab_words(ks_mecab *tagger, const char *text, size_t length, size_t *count) {
  const char *words = library.words(tagger, text, length);
  *count = words ? strlen(words) : 0;
  return words;
}

void ks_mecab_close(ks_mecab *tagger) { library.destroy(tagger); }
