/* A suite with every member once, and the registry to read it with. */
#ifndef INVBENCH_TESTS_SUITE_FIXTURE_H
#define INVBENCH_TESTS_SUITE_FIXTURE_H

#include "harness_fixture.h"

#include "suite_parts.h"

/* Every member once; tests replace one of them. */
static const char base[] =
    "{'schema':'invbench.suite/1','name':'t','summary':'for tests',"
    "'seeds':[1,2],'dataset':{'name':'synthfaces'},"
    "'models':[{'name':'softmax'},{'id':'m','name':'mlp','epochs':"
    "{'sweep':[5,10]}}],"
    "'evaluators':[{'id':'judge','name':'cnn'}],"
    "'defenses':[{'id':'none','stack':[]},"
    "{'id':'r','stack':[{'name':'round','step':{'sweep':[0.01,0.1]}}]},"
    "{'stack':['round','label-only']}],"
    "'attacks':[{'name':'mi-face','access':['gradients','whitebox'],"
    "'models':['m']},{'id':'nes','name':'mi-face-blackbox',"
    "'max_queries':100,'identities':[0,3]}],"
    "'access':['scores'],'budget':{'max_queries':5000,'latency':0.25},"
    "'metrics':['ssim',{'name':'nearest'}]}";

static struct ib_registry *registry;
static char reason[IB_ERROR_MAX];

static inline int make_registry(void **state)
{
    struct ib_error err = {0};

    (void)state;
    return ib_registry_create(&registry, &err) != IB_OK;
}

static inline int free_registry(void **state)
{
    (void)state;
    ib_registry_free(registry);
    return 0;
}

#endif
