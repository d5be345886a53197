/* Priors that learnt: how far their samples are from public images. */
#include <math.h>

#include "report_page.h"

/* "12.3 (4.5)": a score, and that of real images. */
static void add_pair(const struct ib_page *p, const cJSON *scores,
                     const char *name, const char *real)
{
    double x = ib_view_number(scores, real);

    ib_text_add(p->t, "<td class=n>");
    ib_page_number(p->t, ib_view_number(scores, name));
    if (!isnan(x))
        ib_text_add(p->t, "<small>real images %.3g</small>", x);
    ib_text_add(p->t, "</td>");
}

static void add_prior(const struct ib_page *p, const cJSON *prior)
{
    const cJSON *sample = ib_view_object(prior, "sample"), *attack;
    const cJSON *scores = ib_view_object(sample, "scores");
    const char *comma = "";

    ib_html_add(p->t, "<tr><th scope=row>%s<small>",
                ib_view_text(prior, "prior"));
    cJSON_ArrayForEach(attack, ib_view_array(prior, "attacks"))
    {
        if (cJSON_IsString(attack))
            ib_html_add(p->t, "%s%s", comma, attack->valuestring);
        comma = ", ";
    }
    ib_text_add(p->t, "</small></th><td class=n>%.15g</td>",
                ib_view_number(prior, "seed"));
    add_pair(p, scores, "frechet", "frechet_real");
    add_pair(p, scores, "precision", "precision_real");
    add_pair(p, scores, "recall", "recall_real");
    add_pair(p, scores, "nearest", "nearest_real");
    if (sample)
        ib_html_add(p->t, "<td>%s</td></tr>\n",
                    ib_view_text(sample, "verdict"));
    else
        ib_html_add(p->t, "<td>%s: %s</td></tr>\n",
                    ib_view_text(prior, "status"),
                    ib_view_text(prior, "reason"));
}

void ib_page_priors(const struct ib_page *p)
{
    const cJSON *all = ib_view_array(p->v->root, "priors"), *prior;

    if (cJSON_GetArraySize(all) == 0)
        return;
    ib_text_add(p->t, "<h2 id=priors>What priors learnt</h2>\n"
                      "<p class=note>A prior learns from a part of the public "
                      "images; its samples are compared with those it has not "
                      "seen, beside as many real images, in an evaluator's "
                      "features (nearest: in pixels).</p>\n");
    ib_page_table(p->t, "Priors", "Samples of priors that learn.");
    ib_text_add(p->t, "<thead><tr><th scope=col>Prior</th><th scope=col "
                      "class=n>Seed</th><th scope=col class=n>Frechet distance"
                      "</th><th scope=col class=n>Precision</th><th scope=col "
                      "class=n>Recall</th><th scope=col class=n>Nearest public "
                      "image</th><th scope=col>In words</th></tr></thead>\n"
                      "<tbody>\n");
    cJSON_ArrayForEach(prior, all) add_prior(p, prior);
    ib_page_table_end(p->t);
}
