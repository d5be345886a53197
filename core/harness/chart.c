#include "chart.h"

#include <math.h>
#include <stdio.h>

enum { LEFT = 62, RIGHT = 16, TOP = 14, BOTTOM = 52, TICKS = 6 };

double ib_chart_x(const struct ib_chart *c, double x)
{
    double a = c->log_x ? log10(fmax(x, 1e-9)) : x;
    double b = c->log_x ? log10(c->x0) : c->x0;
    double e = c->log_x ? log10(c->x1) : c->x1;

    return LEFT + (a - b) / (e - b) * (IB_CHART_WIDTH - LEFT - RIGHT);
}

double ib_chart_y(const struct ib_chart *c, double y)
{
    return IB_CHART_HEIGHT - BOTTOM -
           (y - c->y0) / (c->y1 - c->y0) * (IB_CHART_HEIGHT - TOP - BOTTOM);
}

void ib_chart_pad(double *low, double *high)
{
    double room = (*high - *low) * 0.06;

    room = room > 0 ? room : 0.05;
    *low -= room;
    *high += room;
}

/* 1, 2 or 5 times a power of ten, for about TICKS of them. */
static double step_of(double range)
{
    double raw = range / TICKS, ten = pow(10, floor(log10(raw)));
    double part = raw / ten;

    return ten * (part < 1.5 ? 1 : part < 3.5 ? 2 : part < 7.5 ? 5 : 10);
}

static void tick_x(struct ib_text *t, const struct ib_chart *c, double x)
{
    double at = ib_chart_x(c, x);

    ib_text_add(t,
                "<path class=grid d=\"M%.1f %dV%d\"/>"
                "<text x=%.1f y=%d text-anchor=middle>",
                at, TOP, IB_CHART_HEIGHT - BOTTOM, at,
                IB_CHART_HEIGHT - BOTTOM + 18);
    if (c->percent_x)
        ib_text_add(t, "%.3g %%</text>\n", 100 * x);
    else
        ib_text_add(t, "%.15g</text>\n", x);
}

static void ticks_x(struct ib_text *t, const struct ib_chart *c)
{
    if (c->log_x) {
        for (double x = pow(10, ceil(log10(c->x0) - 1e-9)); x <= c->x1 * 1.001;
             x *= 10)
            tick_x(t, c, x);
        return;
    }
    double step = step_of(c->x1 - c->x0);
    for (double i = ceil(c->x0 / step); i * step <= c->x1; i++)
        tick_x(t, c, i * step);
}

static void ticks_y(struct ib_text *t, const struct ib_chart *c)
{
    double step = step_of(c->y1 - c->y0);

    for (double i = ceil(c->y0 / step); i * step <= c->y1; i++) {
        double at = ib_chart_y(c, i * step);
        ib_text_add(t,
                    "<path class=grid d=\"M%d %.1fH%d\"/>"
                    "<text x=%d y=%.1f text-anchor=end>%.2g</text>\n",
                    LEFT, at, IB_CHART_WIDTH - RIGHT, LEFT - 8, at + 4,
                    i == 0 ? 0.0 : i * step);
    }
}

void ib_chart_begin(struct ib_text *t, const struct ib_chart *c)
{
    ib_html_add(t,
                "<div class=plot role=region tabindex=0 aria-label=\"%s\">"
                "<svg class=chart role=img viewBox=\"0 0 %d %d\">"
                "<title>%s</title><desc>%s</desc>\n",
                c->title, IB_CHART_WIDTH, IB_CHART_HEIGHT, c->title,
                c->summary);
    ticks_x(t, c);
    ticks_y(t, c);
    ib_text_add(t, "<text class=axis x=%d y=%d text-anchor=middle>",
                (LEFT + IB_CHART_WIDTH - RIGHT) / 2, IB_CHART_HEIGHT - 10);
    ib_html_text(t, c->x_label);
    ib_text_add(t,
                "</text><text class=axis transform=\"translate(16 %d) "
                "rotate(-90)\" text-anchor=middle>",
                (TOP + IB_CHART_HEIGHT - BOTTOM) / 2);
    ib_html_text(t, c->y_label);
    ib_text_add(t, "</text>\n");
}

void ib_chart_end(struct ib_text *t)
{
    ib_text_add(t, "</svg></div>\n");
}

void ib_chart_rule(struct ib_text *t, const struct ib_chart *c, double y)
{
    if (y >= c->y0 && y <= c->y1)
        ib_text_add(t, "<path class=rule d=\"M%d %.1fH%d\"/>\n", LEFT,
                    ib_chart_y(c, y), IB_CHART_WIDTH - RIGHT);
}

void ib_chart_line(struct ib_text *t, const struct ib_chart *c,
                   const char *class, size_t n, const double *x,
                   const double *y)
{
    ib_html_add(t, "<path class=\"line %s\" d=\"", class);
    for (size_t i = 0; i < n; i++)
        ib_text_add(t, "%s%.1f %.1f", i ? "L" : "M", ib_chart_x(c, x[i]),
                    ib_chart_y(c, y[i]));
    ib_text_add(t, "\"/>\n");
}

void ib_chart_mark(struct ib_text *t, const struct ib_chart *c,
                   const struct ib_mark *m)
{
    double x = ib_chart_x(c, m->x), y = ib_chart_y(c, m->y);

    if (m->square)
        ib_text_add(t, "<rect x=%.1f y=%.1f width=9 height=9 class=\"", x - 4.5,
                    y - 4.5);
    else
        ib_text_add(t, "<circle cx=%.1f cy=%.1f r=4.5 class=\"", x, y);
    ib_html_add(t, "%s\"><title>%s</title></%s>\n", m->class, m->label,
                m->square ? "rect" : "circle");
}

void ib_chart_words(struct ib_text *t, const struct ib_chart *c, double x,
                    double y, const char *words)
{
    double at = ib_chart_x(c, x);
    bool left = at > IB_CHART_WIDTH * 0.72;

    ib_text_add(t, "<text class=words x=%.1f y=%.1f%s>", at + (left ? -9 : 9),
                ib_chart_y(c, y) - 7, left ? " text-anchor=end" : "");
    ib_html_add(t, "%s</text>\n", words);
}
