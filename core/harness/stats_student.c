/*
 * Student's t by the regularised incomplete beta function: continued fraction
 * of Lentz's method; log-gamma after Lanczos (1964; g = 7, 9 terms).
 */
#include <math.h>

#include <invbench/math.h>

#include "stats.h"

static double log_gamma(double x)
{
    static const double c[] = {
        0.99999999999980993,  676.5203681218851,     -1259.1392167224028,
        771.32342877765313,   -176.61502916214059,   12.507343278686905,
        -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7};
    double sum = c[0], t = x + 6.5;
    for (int i = 1; i < 9; i++)
        sum += c[i] / (x - 1 + i);
    return 0.91893853320467274 + (x - 0.5) * ib_log(t) - t + ib_log(sum);
}

static double away_from_zero(double x)
{
    return fabs(x) < 1e-300 ? 1e-300 : x;
}

static double beta_fraction(double a, double b, double x)
{
    double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), f = d;
    for (int m = 1; m < 500; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 / away_from_zero(1 + even * d);
        c = away_from_zero(1 + even / c);
        f *= d * c;
        double odd =
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / away_from_zero(1 + odd * d);
        c = away_from_zero(1 + odd / c);
        f *= d * c;
        if (fabs(d * c - 1) < 1e-15)
            break;
    }
    return f;
}

/* I_x(a, b) */
static double beta_share(double a, double b, double x)
{
    if (x <= 0 || x >= 1)
        return x >= 1;
    double front = ib_exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) +
                          a * ib_log(x) + b * ib_log(1 - x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double ib_student_cdf(double t, double df)
{
    double tail = beta_share(df / 2, 0.5, df / (df + t * t)) / 2;
    return t > 0 ? 1 - tail : tail;
}

double ib_student_quantile(double p, double df)
{
    double low = 0, high = 1;
    if (p < 0.5)
        return -ib_student_quantile(1 - p, df);
    while (ib_student_cdf(high, df) < p && high < 1e12)
        high *= 2;
    for (int i = 0; i < 200 && low < high; i++) {
        double mid = low + (high - low) / 2;
        if (mid <= low || mid >= high)
            break;
        if (ib_student_cdf(mid, df) < p)
            low = mid;
        else
            high = mid;
    }
    return high;
}

double ib_wilson_reach(int n)
{
    const double z2 = 1.959963984540054 * 1.959963984540054;
    return z2 / (n + z2);
}
