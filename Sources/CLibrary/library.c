// SPDX-License-Identifier: Apache-2.0
#include "ks_library.h"

#include <dlfcn.h>

const char *ks_library_load(const char *const *names, size_t names_count, const ks_library_function *functions,
                            size_t functions_count) {
  void *found = NULL;
  for (size_t i = 0; i < names_count && !found; i++) found = dlopen(names[i], RTLD_NOW);
  if (!found) return "";
  for (size_t i = 0; i < functions_count; i++) {
    *functions[i].place = dlsym(found, functions[i].name);
    if (!*functions[i].place) return functions[i].name;
  }
  return NULL;
}
