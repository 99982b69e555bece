// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/fault.h"
#include "lib/libvfio.h"
#include "random_steps.h"

/* How often a step may be one that is refused. Else nothing ever gets far. */
#define WILD_ONE_IN	6
/* So many draws for one that is not. */
#define DRAWS		100
/* How often it is about another group than most are. */
#define ELSEWHERE_ONE_IN 8
/* How often it may have a driver probe that takes a second. */
#define SLOW_ONE_IN	20
#define FAULT_ONE_IN	2

/* What an operation takes of struct model_args. */
enum {
	DEV = 1,
	GROUP = 2,
	SLOT = 4,
	PAGE = 8,
	DRIVER = 16,
	ON = 32,
};

struct operation {
	const char *name;
	int weight;		/* how often it is drawn, if it succeeds */
	int takes;
	model_can *can;		/* NULL: always */
	model_op *expect;
	machine_op *prepare;	/* not a part of it; NULL: nothing */
	machine_op *run;
	model_can *spares;	/* may an allocation fail? NULL: no */
	int allocations;	/* about as many as there are */
};

static bool always(const struct model *model, const struct model_args *args)
{
	return true;
}

#define OP(_name, _weight, _takes, _can, ...)				\
	{								\
		.name = #_name, .weight = (_weight), .takes = (_takes),	\
		.can = (_can), .expect = model_##_name,			\
		.run = machine_##_name, __VA_ARGS__			\
	}

static const struct operation operations[] = {
	OP(override, 16, DEV | DRIVER, model_can_override),
	OP(bind, 120, DEV | DRIVER, model_can_bind, .spares = model_spares_bind,
	   .allocations = 60),
	OP(drivers_probe, 8, DEV, always),
	OP(unbind, 5, DEV, model_can_unbind),
	OP(attach, 60, DEV, model_can_attach, .spares = always,
	   .allocations = 10),
	OP(detach, 4, DEV, model_can_attach),
	OP(remove, 8, DEV, model_can_remove, .spares = model_spares_remove,
	   .allocations = 30),
	OP(rescan, 16, 0, model_can_rescan, .spares = model_spares_rescan,
	   .allocations = 250),
	OP(load, 1, ON, model_can_load, .prepare = machine_autoprobe),
	OP(unload, 1, 0, model_can_unload),
	OP(open_container, 40, SLOT, model_can_open_container),
	OP(close_container, 2, SLOT, model_can_use_container),
	OP(open_group, 40, GROUP, always),
	OP(close_group, 2, GROUP, model_can_use_group),
	OP(get_status, 3, GROUP, model_can_use_group),
	OP(set, 60, GROUP | SLOT, model_can_set, .spares = always,
	   .allocations = 10),
	OP(unset, 3, GROUP, model_can_use_group),
	OP(set_iommu, 60, SLOT, model_can_use_container, .spares = always,
	   .allocations = 20),
	OP(map, 24, SLOT | PAGE, model_can_use_container),
	OP(unmap, 6, SLOT | PAGE, model_can_use_container),
	OP(kvm_add, 4, GROUP, model_can_kvm_add),
	OP(kvm_close, 4, GROUP, model_can_kvm_close),
	OP(open_device, 80, DEV, model_can_open_device),
	OP(close_device, 4, DEV, model_can_close_device),
	OP(dma, 80, DEV | PAGE, model_can_dma),
	OP(dma_unbound, 10, DEV | PAGE, model_can_dma_unbound),
	OP(why, 20, DEV, always),
};

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define NOPS	ARRAY_SIZE(operations)

unsigned int step_kinds(void)
{
	return NOPS;
}

const char *step_name(unsigned int op)
{
	return operations[op].name;
}

/* As a person reads it. */
void step_print(const struct walk *walk, const struct step *step, char *text,
		size_t len)
{
	const struct operation *op = &operations[step->op];
	const struct machine *machine = &walk->machine;
	const struct model_args *args = &step->args;
	FILE *out = fmemopen(text, len, "w");

	fputs(op->name, out);
	if (op->takes & DEV)
		fprintf(out, " %s", machine->bdf[args->dev]);
	if (op->takes & DRIVER)
		fprintf(out, " %s", args->driver ?
			machine_driver_name(machine, args->dev, args->driver) : "none");
	if (op->takes & GROUP)
		fprintf(out, " group %d", machine->id[args->group]);
	if (op->takes & SLOT)
		fprintf(out, " container %d", args->slot);
	if (op->takes & PAGE)
		fprintf(out, " page %d", args->page);
	if (op->takes & ON)
		fprintf(out, ", autoprobe %s", args->on ? "on" : "off");
	if (step->nth)
		fprintf(out, ", allocation %d fails", step->nth);
	fclose(out);
}

static int below(struct walk *walk, int n)
{
	return rand_r(&walk->seed) % n;
}

static bool one_in(struct walk *walk, int n)
{
	return !below(walk, n);
}

static unsigned int draw_op(struct walk *walk, bool wild)
{
	unsigned int op;
	int total = 0;

	if (wild)
		return below(walk, NOPS);
	for (op = 0; op < NOPS; op++)
		total += operations[op].weight;
	total = below(walk, total);
	for (op = 0; total >= operations[op].weight; op++)
		total -= operations[op].weight;
	return op;
}

static int draw_dev(struct walk *walk, int group)
{
	const struct model *model = &walk->machine.model;
	int dev;

	do {
		dev = below(walk, model->ndevs);
	} while (model->devs[dev].group != group);
	return dev;
}

static void draw(struct walk *walk, struct step *step, bool wild)
{
	int group = walk->focus;

	if (one_in(walk, ELSEWHERE_ONE_IN))
		group = below(walk, walk->machine.model.ngroups);
	step->op = draw_op(walk, wild);
	step->nth = 0;
	step->args = (struct model_args){
		.dev = draw_dev(walk, group),
		.group = group,
		.slot = one_in(walk, ELSEWHERE_ONE_IN),
		.page = below(walk, MODEL_PAGES),
		.driver = below(walk, MODEL_DRIVERS),
		.on = one_in(walk, 4),
	};
}

static bool is_possible(const struct walk *walk, const struct step *step)
{
	return operations[step->op].can(&walk->machine.model, &step->args);
}

static int expect(const struct step *step, struct model *model)
{
	return operations[step->op].expect(model, &step->args);
}

/* Would it succeed, and, unless @slow, soon? */
static bool is_good(const struct walk *walk, const struct step *step, bool slow)
{
	const struct model *before = &walk->machine.model;
	struct model after = *before;

	return expect(step, &after) >= 0 &&
	       (slow || model_slow(&after) <= model_slow(before));
}

static bool spares(const struct walk *walk, const struct step *step)
{
	model_can *spares = operations[step->op].spares;

	return spares && spares(&walk->machine.model, &step->args);
}

static void draw_step(struct walk *walk, struct step *step)
{
	bool wild = one_in(walk, WILD_ONE_IN), slow = one_in(walk, SLOW_ONE_IN);
	int draws = 0;

	do {
		draw(walk, step, wild);
	} while (!is_possible(walk, step) ||
		 (!wild && draws++ < DRAWS && !is_good(walk, step, slow)));
	if (walk->fault >= 0 && spares(walk, step) && one_in(walk, FAULT_ONE_IN))
		step->nth = 1 + below(walk, operations[step->op].allocations);
}

/* Before it is taken: after a crash, the end of the log is all there is. */
static void log_step(const struct walk *walk, int number, const struct step *step)
{
	char text[128], line[160];

	step_print(walk, step, text, sizeof(text));
	snprintf(line, sizeof(line), "random: %d: %s\n", number, text);
	sysfs_write("/dev/kmsg", line);
}

static int run(struct walk *walk, const struct step *step, int *hit)
{
	const struct operation *op = &operations[step->op];
	int ret;

	*hit = 0;
	if (op->prepare)
		op->prepare(&walk->machine, &step->args);
	if (step->nth)
		fault_arm(walk->fault, step->nth);
	ret = op->run(&walk->machine, &step->args);
	if (step->nth)
		*hit = fault_disarm(walk->fault);
	return ret;
}

/* What a system call may say whose allocation failed. */
static bool is_shortage(int ret)
{
	return ret == -ENOMEM || ret == -EIO || ret == -ENODEV || ret == -EBUSY;
}

static void count(struct walk *walk, const struct step *step, int expected,
		  int hit)
{
	struct tally *tally = &walk->tally[step->op];

	tally->done++;
	tally->refused += expected < 0;
	tally->faults += hit;
}

/*
 * Take a step, and look at everything. 0; -ECANCELED where the step is not
 * possible now; or another -errno and @why.
 */
static int take(struct walk *walk, struct step *step, char *why, size_t len)
{
	struct model before = walk->machine.model, after = before;
	int expected, ret, hit;

	if (!is_possible(walk, step))
		return -ECANCELED;
	expected = expect(step, &after);
	ret = run(walk, step, &hit);
	/* Next time there may be one more allocation. */
	if (!hit)
		step->nth = 0;
	count(walk, step, expected, hit);
	if (ret != expected && !(hit && is_shortage(ret))) {
		snprintf(why, len, "returned %d (%s), not %d (%s)", ret,
			 machine_error(ret), expected, machine_error(expected));
		return -EBADE;
	}
	if (ret == expected)
		walk->machine.model = after;
	if (hit)
		machine_adopt(&walk->machine, &before);
	return machine_check(&walk->machine, why, len);
}

static int begin(struct walk *walk, struct sequence *sequence)
{
	sequence->failed = -1;
	return machine_reset(&walk->machine, sequence->why,
			     sizeof(sequence->why));
}

/* Take @len steps as they come, or up to one that fails: 0 or -errno. */
int walk_random(struct walk *walk, struct sequence *sequence,
		unsigned int seed, int len)
{
	int ret;

	walk->seed = seed;
	walk->focus = below(walk, walk->machine.model.ngroups);
	sequence->len = 0;
	ret = begin(walk, sequence);
	while (!ret && sequence->len < len) {
		struct step *step = &sequence->steps[sequence->len++];

		draw_step(walk, step);
		log_step(walk, sequence->len, step);
		ret = take(walk, step, sequence->why, sizeof(sequence->why));
	}
	if (ret)
		sequence->failed = sequence->len - 1;
	return ret;
}

/* Once more. Without those before it, a step may have become impossible. */
int walk_again(struct walk *walk, struct sequence *sequence)
{
	int i, ret;

	ret = begin(walk, sequence);
	if (ret)
		return ret;
	for (i = 0; i < sequence->len; i++) {
		log_step(walk, i + 1, &sequence->steps[i]);
		ret = take(walk, &sequence->steps[i], sequence->why,
			   sizeof(sequence->why));
		if (ret && ret != -ECANCELED) {
			sequence->failed = i;
			sequence->len = i + 1;
			return ret;
		}
	}
	return 0;
}

/* Try without @n steps from number @at. Does the rest still fail? */
static bool try_without(struct walk *walk, struct sequence *sequence, int at, int n)
{
	struct sequence shorter = *sequence;

	memmove(&shorter.steps[at], &shorter.steps[at + n],
		(shorter.len - at - n) * sizeof(shorter.steps[0]));
	shorter.len -= n;
	if (!walk_again(walk, &shorter) || shorter.failed < 0)
		return false;
	*sequence = shorter;
	return true;
}

static int min(int a, int b)
{
	return a < b ? a : b;
}

/*
 * Leave out what a failure does not need: large pieces first, from the end, down
 * to single steps. Returns how often the sequence was taken.
 */
int walk_shorten(struct walk *walk, struct sequence *sequence, int seconds)
{
	time_t end = time(NULL) + seconds;
	int n, at, times = 0;

	for (n = sequence->len / 2; n; n /= 2) {
		for (at = sequence->len - 1 - n; at >= 0;
		     at = min(at - n, sequence->len - 1 - n)) {
			if (time(NULL) > end)
				return times;
			try_without(walk, sequence, at, n);
			times++;
		}
	}
	return times;
}
