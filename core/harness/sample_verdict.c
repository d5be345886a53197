/* The numbers of sample.h in words. */
#include <math.h>

#include "json_put.h"
#include "sample.h"

static int below(double x, double part, double real)
{
    return isfinite(x) && isfinite(real) ? x < part * real : -1;
}

static void say_unlike(int unlike, double precision, double real,
                       struct ib_text *w)
{
    if (unlike > 0)
        ib_text_add(w,
                    "Samples are unlike the public images: %.0f %% lie where "
                    "held-out images do, of real ones %.0f %%. ",
                    100 * precision, 100 * real);
}

static void say_collapse(int collapse, double spread, double recall,
                         double real, struct ib_text *w)
{
    if (collapse < 0) {
        ib_text_add(w, "Whether modes have collapsed cannot be told.");
        return;
    }
    ib_text_add(w, collapse ? "Mode collapse: " : "No mode collapse: ");
    ib_text_add(w,
                "two samples lie %.2f times as far apart as two real images "
                "(below %g is collapse)",
                spread, IB_COLLAPSE_SPREAD);
    if (isfinite(recall) && isfinite(real))
        ib_text_add(w,
                    ", and they cover %.0f %% of the held-out images, where "
                    "real images cover %.0f %% (below a tenth of that is "
                    "collapse)",
                    100 * recall, 100 * real);
    ib_text_add(w, ".");
}

static void say_copies(bool copying, double copies, double real, double nearest,
                       double nearest_real, struct ib_text *w)
{
    ib_text_add(w,
                copying ? " Samples are copies: " : " Samples are no copies: ");
    ib_text_add(w,
                "%.1f %% nearly equal a public image that the prior has seen",
                100 * copies);
    if (isfinite(real))
        ib_text_add(w, " (%.1f %% of held-out ones do)", 100 * real);
    ib_text_add(w, "; the nearest one is %.3f away", nearest);
    if (isfinite(nearest_real))
        ib_text_add(w, " (%.3f from held-out ones)", nearest_real);
    ib_text_add(w, ", in the median.");
}

struct ib_sample_verdict ib_sample_verdict(const cJSON *scores,
                                           struct ib_text *words)
{
    double spread = ib_at_number(scores, "spread");
    double recall = ib_at_number(scores, "recall");
    double recall_real = ib_at_number(scores, "recall_real");
    double precision = ib_at_number(scores, "precision");
    double precision_real = ib_at_number(scores, "precision_real");
    double copies = ib_at_number(scores, "copies");
    double copies_real = ib_at_number(scores, "copies_real");
    struct ib_sample_verdict v = {
        .collapse = -1,
        .unlike = below(precision, IB_UNLIKE, precision_real),
        .copying =
            copies > IB_COPYING + (isfinite(copies_real) ? copies_real : 0)};

    if (isfinite(spread))
        v.collapse = spread < IB_COLLAPSE_SPREAD ||
                     (v.unlike < 1 &&
                      below(recall, IB_COLLAPSE_RECALL, recall_real) > 0);
    say_unlike(v.unlike, precision, precision_real, words);
    say_collapse(v.collapse, spread, v.unlike > 0 ? NAN : recall, recall_real,
                 words);
    say_copies(v.copying, copies, copies_real, ib_at_number(scores, "nearest"),
               ib_at_number(scores, "nearest_real"), words);
    return v;
}
