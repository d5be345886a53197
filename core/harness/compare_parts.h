/* What the files behind compare.h share. */
#ifndef INVBENCH_HARNESS_COMPARE_PARTS_H
#define INVBENCH_HARNESS_COMPARE_PARTS_H

#include "compare.h"
#include "leakage.h"

/* --- what is there ---------------------------------------------------------
 */

/* Adds a text to one of the lists. */
IB_CHECK enum ib_status ib_compare_say(cJSON *list, struct ib_error *err,
                                       const char *format, ...) IB_PRINTF(3, 4);
/* Fills incompatible and changed. */
IB_CHECK enum ib_status ib_compare_check(struct ib_compare *c,
                                         struct ib_error *err);

/* Sorts the cells of a side. */
IB_CHECK enum ib_status ib_side_index(struct ib_compare_side *s,
                                      struct ib_error *err);
/* Fills people. */
IB_CHECK enum ib_status ib_compare_people(struct ib_compare *c,
                                          struct ib_error *err);

/* The coordinates of a line, as ids on one side. */
struct ib_place {
    const char *model, *defense, *attack, *access;
};
/* NULL: none. A bypassed cell is the one that carries its number. */
const cJSON *ib_place_cell(const struct ib_compare_side *s,
                           const struct ib_place *p, double seed);
/* The same, by name of the control. */
const cJSON *ib_place_control(const struct ib_compare_side *s,
                              const char *model, const char *name, double seed);
const cJSON *ib_place_utility(const struct ib_compare_side *s,
                              const char *model, const char *defense,
                              double seed);
bool ib_cell_is(const cJSON *cell, const char *status);

/* --- panels: paired seeds x people -------------------------------------- */

/* Column of a name; -1: unknown. */
int ib_person_column(const struct ib_compare *c, const char *name);
/* Writes a column of identities' scores into one seed's row. */
void ib_panel_scores(const struct ib_compare *c, struct ib_panel *p, int seed,
                     const cJSON *record, const char *column);
/* v NULL: no memory. */
struct ib_panel ib_place_panel(const struct ib_compare *c, enum ib_side side,
                               const struct ib_place *p, const char *column);
/* The task of a row's leakage, or of a track's headline (p->attack NULL):
 * the attacks in rows, n of them. Freed by ib_place_task_free. */
IB_CHECK enum ib_status ib_place_task(const struct ib_compare *c,
                                      enum ib_side side,
                                      const struct ib_place *places, size_t n,
                                      struct ib_leakage_task *out,
                                      struct ib_error *err);
void ib_place_task_free(struct ib_leakage_task *t);

/* --- lines ----------------------------------------------------------------
 */

IB_CHECK enum ib_status ib_compare_lines(struct ib_compare *c,
                                         struct ib_error *err);
/* Values, interval and p-values of a line whose cells are there. */
IB_CHECK enum ib_status ib_line_row(struct ib_compare *c,
                                    struct ib_comparison *l,
                                    const struct ib_place place[2],
                                    struct ib_error *err);
IB_CHECK enum ib_status ib_line_leakage(struct ib_compare *c,
                                        struct ib_comparison *l,
                                        const struct ib_place *const places[2],
                                        size_t n, struct ib_error *err);
IB_CHECK enum ib_status ib_line_utility(struct ib_compare *c,
                                        struct ib_comparison *l,
                                        const struct ib_place place[2],
                                        struct ib_error *err);
/* Holm over all lines; rules; outcome. */
IB_CHECK enum ib_status ib_compare_judge(struct ib_compare *c,
                                         struct ib_error *err);
#endif
