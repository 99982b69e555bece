// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <unistd.h>

#include "abi_threads.h"
#include "lib/vfio.h"

static void *racer_run(void *data)
{
	struct racer *racer = data;

	pthread_barrier_wait(racer->start);
	racer->ret = vfio_set_container(racer->group, racer->container);
	return NULL;
}

/* How many of the racers win, if the others lose as they should; or -errno. */
int race(struct racer *racers, pthread_barrier_t *start)
{
	int i, wins = 0, ret = 0;

	for (i = 0; i < RACERS; i++) {
		racers[i].start = start;
		if (pthread_create(&racers[i].thread, NULL, racer_run, &racers[i]))
			return -EAGAIN;
	}
	for (i = 0; i < RACERS; i++) {
		pthread_join(racers[i].thread, NULL);
		wins += !racers[i].ret;
		if (racers[i].ret && racers[i].ret != -EINVAL)
			ret = racers[i].ret;
	}
	return ret ? ret : wins;
}

void *opener_run(void *data)
{
	struct opener *opener = data;
	int device;

	while (!__atomic_load_n(&opener->stop, __ATOMIC_ACQUIRE)) {
		device = vfio_open_device(opener->group, opener->bdf);
		if (device >= 0) {
			opener->opened++;
			close(device);
		} else if (device != -EINVAL) {
			opener->error = device;
		}
	}
	return NULL;
}

/* Leave the container as soon as the other thread lets go. */
int unset_at_last(int group)
{
	int ret;

	do {
		ret = vfio_unset_container(group);
	} while (ret == -EBUSY);
	return ret;
}
