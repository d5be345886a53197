/* The cyclic Jacobi method (Golub, Van Loan, Matrix Computations, 8.5). */
#include "eigen.h"

#include <math.h>
#include <string.h>

enum { SWEEPS_MAX = 30 };

/* Rows a and b of x: (a, b) <- (c a - s b, s a + c b). */
static void turn_rows(double *x, size_t n, size_t a, size_t b, double c,
                      double s)
{
    double *p = x + a * n, *q = x + b * n;

    for (size_t j = 0; j < n; j++) {
        double u = p[j], v = q[j];

        p[j] = c * u - s * v;
        q[j] = s * u + c * v;
    }
}

static void turn_columns(double *x, size_t n, size_t a, size_t b, double c,
                         double s)
{
    for (size_t i = 0; i < n; i++) {
        double u = x[i * n + a], v = x[i * n + b];

        x[i * n + a] = c * u - s * v;
        x[i * n + b] = s * u + c * v;
    }
}

/* The rotation that makes entry (p, q) 0. */
static void rotate(size_t n, double *a, double *vectors, size_t p, size_t q)
{
    double tau = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
    double t = (tau < 0 ? -1 : 1) / (fabs(tau) + sqrt(1 + tau * tau));
    double c = 1 / sqrt(1 + t * t), s = t * c;

    turn_rows(a, n, p, q, c, s);
    turn_columns(a, n, p, q, c, s);
    a[p * n + q] = a[q * n + p] = 0;
    turn_rows(vectors, n, p, q, c, s);
}

/* Entries this small against their diagonal change no eigenvalue by more than
 * its rounding. */
static bool matters(size_t n, const double *a, size_t p, size_t q, double least)
{
    double x = fabs(a[p * n + q]);

    return x > least && x * x > 1e-32 * fabs(a[p * n + p] * a[q * n + q]);
}

void ib_eigen_symmetric(size_t n, double *a, double *q)
{
    double least = 0;
    bool moved = true;

    memset(q, 0, n * n * sizeof(*q));
    for (size_t i = 0; i < n; i++) {
        q[i * n + i] = 1;
        least = fmax(least, fabs(a[i * n + i]));
    }
    least *= 1e-16;
    for (int sweep = 0; moved && sweep < SWEEPS_MAX; sweep++) {
        moved = false;
        for (size_t i = 0; i < n; i++)
            for (size_t j = i + 1; j < n; j++)
                if (matters(n, a, i, j, least)) {
                    rotate(n, a, q, i, j);
                    moved = true;
                }
    }
}

void ib_eigen_order(size_t n, const double *a, size_t *order)
{
    for (size_t i = 0; i < n; i++) {
        size_t k = i;

        for (; k > 0 && a[i * n + i] > a[order[k - 1] * (n + 1)]; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
}
