// SPDX-License-Identifier: Apache-2.0
#include "ks_report.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char style[] = {
#embed "report.css"
    , 0};
static const char script[] = {
#embed "report.js"
    , 0};

const char *ks_report_style(void) { return style; }
const char *ks_report_script(void) { return script; }
