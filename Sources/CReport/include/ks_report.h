// SPDX-License-Identifier: Apache-2.0
// What a run's report is dressed in, part of the program.
#ifndef KS_REPORT_H
#define KS_REPORT_H

/// The style sheet, `report.css`.
const char *ks_report_style(void);
/// The script, `report.js`.
const char *ks_report_script(void);

#endif
