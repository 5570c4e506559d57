// SPDX-License-Identifier: Apache-2.0
#pragma once
// Nothing to call: linked into a program, start.c acts before its main function.
