// SPDX-License-Identifier: Apache-2.0
// Libraries that are loaded when they are first wanted, since most runs of the program do without them.
#ifndef KASANE_LIBRARY_H
#define KASANE_LIBRARY_H

#include <stddef.h>

/// A function of a library and where its address goes.
typedef struct {
  const char *name;
  void **place;
} ks_library_function;

/// Loads the first library of some names that is there and looks its functions up. Null where all are found; else the name of
/// the first function that it has not, or an empty one where there is no library.
const char *ks_library_load(const char *const *names, size_t names_count, const ks_library_function *functions,
                            size_t functions_count);

#define KS_LIBRARY_LOAD(names, functions) \
  ks_library_load(names, sizeof(names) / sizeof *(names), functions, sizeof(functions) / sizeof *(functions))

#endif
