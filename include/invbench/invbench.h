/* The whole public API: all that a plugin, in or out of the tree, may include.
 */
#ifndef INVBENCH_INVBENCH_H
#define INVBENCH_INVBENCH_H

#include <invbench/attack.h>
#include <invbench/base.h>
#include <invbench/defense.h>
#include <invbench/graph.h>
#include <invbench/images.h>
#include <invbench/math.h>
#include <invbench/metric.h>
#include <invbench/model.h>
#include <invbench/options.h>
#include <invbench/oracle.h>
#include <invbench/plugin.h>
#include <invbench/prior.h>
#include <invbench/rng.h>
#include <invbench/statistics.h>
#include <invbench/trainer.h>

#endif
