// SPDX-License-Identifier: GPL-2.0-only
/*
 * What userspace may get wrong: each mistake has its errno, and changes nothing.
 *
 * The errnos are those of a kernel without DMA ownership, which passes as well,
 * except that it does not survive the last three tests. Where the errnos did
 * change, S2 and S6 of dma_owner_vfio_test have them.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "../kselftest_harness.h"
#include "scene.h"

#define THREADS		4
#define CLAIMS		50
#define UNSETS		20

#define FREE		VFIO_GROUP_FLAGS_VIABLE
#define OWNED		(VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET)

/* Two groups, the second for what belongs to somebody else. */
FIXTURE(abi)
{
	struct scene scene;
	struct scene other;
	int container;
	int group;
	char *edge;
};

static int call(int fd, unsigned long request, const void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

/* Behind the end of a writable page there is nothing. */
static char *edge_of_memory(void)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *mem;

	mem = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED || mprotect(mem + page, page, PROT_NONE))
		return NULL;
	return mem + page;
}

static __u32 flags_of(int group)
{
	__u32 flags;

	return vfio_group_flags(group, &flags) ? ~0 : flags;
}

FIXTURE_SETUP(abi)
{
	ASSERT_EQ(0, scene_setup(&self->scene, DISTINCT));
	ASSERT_EQ(0, scene_setup(&self->other, BESIDE));
	self->edge = edge_of_memory();
	ASSERT_NE(NULL, self->edge);
	self->container = vfio_open_container();
	ASSERT_LE(0, self->container);
	self->group = vfio_open_group(self->scene.group->id);
	ASSERT_LE(0, self->group);
}

/* Whatever happened, the group must be of use again. */
FIXTURE_TEARDOWN(abi)
{
	struct scene *scene = &self->scene;

	close(self->group);
	close(self->container);
	EXPECT_EQ(0, vfio_user_open(&scene->user, scene->a));
	EXPECT_EQ(0, edu_answers(&scene->user));
	EXPECT_EQ(0, scene_teardown(&self->other));
	EXPECT_EQ(0, scene_teardown(scene));
}

/* Own the group, with its IOMMU set up. Returns A's descriptor, or -errno. */
static int own(FIXTURE_DATA(abi) *self)
{
	int ret;

	ret = vfio_set_container(self->group, self->container);
	if (!ret)
		ret = vfio_set_iommu(self->container);
	return ret ? ret : vfio_open_device(self->group, self->scene.a);
}

TEST_F(abi, status_of_bad_structures)
{
	struct vfio_group_status status = { .flags = ~0 };
	size_t min = sizeof(status);

	EXPECT_EQ(-EINVAL, call(self->group, VFIO_GROUP_GET_STATUS, &status));
	status.argsz = min - 1;
	EXPECT_EQ(-EINVAL, call(self->group, VFIO_GROUP_GET_STATUS, &status));
	EXPECT_EQ(~0, status.flags);
	EXPECT_EQ(-EFAULT, call(self->group, VFIO_GROUP_GET_STATUS, NULL));
	EXPECT_EQ(-EFAULT, call(self->group, VFIO_GROUP_GET_STATUS, self->edge));

	status.argsz = min;
	memcpy(self->edge - min, &status, min);
	EXPECT_EQ(0, call(self->group, VFIO_GROUP_GET_STATUS, self->edge - min));
	EXPECT_EQ(-EFAULT, call(self->group, VFIO_GROUP_GET_STATUS,
				self->edge - min + 1));
	ASSERT_EQ(0, mprotect(self->edge - sysconf(_SC_PAGESIZE), 1, PROT_READ));
	EXPECT_EQ(-EFAULT, call(self->group, VFIO_GROUP_GET_STATUS,
				self->edge - min));
}

/* Space for flags that are yet to come is left alone. */
TEST_F(abi, status_of_larger_structure)
{
	struct {
		struct vfio_group_status status;
		__u32 more[4];
	} large = {
		.status.argsz = sizeof(large),
		.more = { 1, 2, 3, 4 },
	}, before = large;

	EXPECT_EQ(0, call(self->group, VFIO_GROUP_GET_STATUS, &large));
	EXPECT_EQ(FREE, large.status.flags);
	EXPECT_EQ(0, memcmp(large.more, before.more, sizeof(large.more)));
}

TEST_F(abi, set_container_to_what_is_none)
{
	int file, closed;

	file = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, file);
	closed = dup(self->container);
	ASSERT_LE(0, closed);
	close(closed);
	EXPECT_EQ(-EFAULT, call(self->group, VFIO_GROUP_SET_CONTAINER, NULL));
	EXPECT_EQ(-EFAULT, call(self->group, VFIO_GROUP_SET_CONTAINER,
				self->edge - 1));
	EXPECT_EQ(-EINVAL, vfio_set_container(self->group, -1));
	EXPECT_EQ(-EINVAL, vfio_set_container(self->group, INT_MIN));
	EXPECT_EQ(-EBADF, vfio_set_container(self->group, INT_MAX));
	EXPECT_EQ(-EBADF, vfio_set_container(self->group, closed));
	EXPECT_EQ(-EINVAL, vfio_set_container(self->group, file));
	EXPECT_EQ(-EINVAL, vfio_set_container(self->group, self->group));
	EXPECT_EQ(FREE, flags_of(self->group));
	EXPECT_EQ(-EINVAL, vfio_unset_container(self->group));
	close(file);
}

TEST_F(abi, set_container_to_a_device)
{
	struct scene *other = &self->other;

	ASSERT_EQ(0, vfio_user_open(&other->user, other->a));
	EXPECT_EQ(-EINVAL, vfio_set_container(self->group, other->user.device));
	EXPECT_EQ(-EINVAL, vfio_set_container(self->group, other->user.group));
	EXPECT_EQ(FREE, flags_of(self->group));
	EXPECT_EQ(OWNED, flags_of(other->user.group));
}

TEST_F(abi, set_container_twice)
{
	int second, device;

	second = vfio_open_container();
	ASSERT_LE(0, second);
	ASSERT_EQ(0, vfio_set_container(self->group, self->container));
	EXPECT_EQ(-EINVAL, vfio_set_container(self->group, self->container));
	EXPECT_EQ(-EINVAL, vfio_set_container(self->group, second));
	EXPECT_EQ(-EINVAL, vfio_set_iommu(second));
	EXPECT_EQ(OWNED, flags_of(self->group));
	ASSERT_EQ(0, vfio_set_iommu(self->container));
	device = vfio_open_device(self->group, self->scene.a);
	ASSERT_LE(0, device);
	EXPECT_EQ(-EINVAL, vfio_set_container(self->group, second));
	close(device);
	EXPECT_EQ(0, vfio_unset_container(self->group));
	EXPECT_EQ(FREE, flags_of(self->group));
	EXPECT_EQ(0, vfio_set_container(self->group, second));
	close(second);
}

TEST_F(abi, unset_without_container)
{
	EXPECT_EQ(-EINVAL, vfio_unset_container(self->group));
	ASSERT_EQ(0, vfio_set_container(self->group, self->container));
	EXPECT_EQ(0, vfio_unset_container(self->group));
	EXPECT_EQ(-EINVAL, vfio_unset_container(self->group));
	EXPECT_EQ(FREE, flags_of(self->group));
}

TEST_F(abi, unset_in_use)
{
	int device, second;

	device = own(self);
	ASSERT_LE(0, device);
	second = vfio_open_device(self->group, self->scene.a);
	ASSERT_LE(0, second);
	EXPECT_EQ(-EBUSY, vfio_unset_container(self->group));
	close(device);
	EXPECT_EQ(-EBUSY, vfio_unset_container(self->group));
	EXPECT_EQ(OWNED, flags_of(self->group));
	close(second);
	EXPECT_EQ(0, vfio_unset_container(self->group));
}

TEST_F(abi, device_too_early)
{
	EXPECT_EQ(-EINVAL, vfio_open_device(self->group, self->scene.a));
	ASSERT_EQ(0, vfio_set_container(self->group, self->container));
	EXPECT_EQ(-EINVAL, vfio_open_device(self->group, self->scene.a));
	EXPECT_EQ(OWNED, flags_of(self->group));
	EXPECT_EQ(0, vfio_unset_container(self->group));
	EXPECT_EQ(-EINVAL, vfio_open_device(self->group, self->scene.a));
}

/* None of the attempts may leave a user of the container behind. */
TEST_F(abi, device_of_bad_name)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *name = self->edge - page;
	int device;

	device = own(self);
	ASSERT_LE(0, device);
	close(device);
	EXPECT_EQ(-EFAULT, vfio_open_device(self->group, NULL));
	EXPECT_EQ(-EFAULT, vfio_open_device(self->group, self->edge));
	memset(name, 'x', page);
	EXPECT_EQ(-EFAULT, vfio_open_device(self->group, name + 1));
	EXPECT_EQ(-EINVAL, vfio_open_device(self->group, name));
	name[page - 1] = '\0';
	EXPECT_EQ(-ENODEV, vfio_open_device(self->group, name));
	EXPECT_EQ(-ENODEV, vfio_open_device(self->group, ""));
	EXPECT_EQ(-ENODEV, vfio_open_device(self->group, "0000:00"));
	EXPECT_EQ(-ENODEV, vfio_open_device(self->group, self->scene.b));
	EXPECT_EQ(-ENODEV, vfio_open_device(self->group, self->other.a));
	snprintf(name, page, "%s0", self->scene.a);
	EXPECT_EQ(-ENODEV, vfio_open_device(self->group, name));
	snprintf(name, page, "%s x", self->scene.a);
	EXPECT_EQ(-EINVAL, vfio_open_device(self->group, name));
	EXPECT_EQ(OWNED, flags_of(self->group));
	EXPECT_EQ(0, vfio_unset_container(self->group));
}

TEST_F(abi, iommu_of_bad_type)
{
	EXPECT_EQ(-EINVAL, vfio_set_iommu(self->container));
	ASSERT_EQ(0, vfio_set_container(self->group, self->container));
	EXPECT_EQ(-ENODEV, vfio_set_iommu_type(self->container, 0));
	EXPECT_EQ(-ENODEV, vfio_set_iommu_type(self->container, -1));
	EXPECT_EQ(-ENODEV, vfio_set_iommu_type(self->container,
					       VFIO_SPAPR_TCE_v2_IOMMU));
	EXPECT_EQ(-ENODEV, vfio_set_iommu_type(self->container,
					       VFIO_NOIOMMU_IOMMU));
	EXPECT_EQ(OWNED, flags_of(self->group));
	ASSERT_EQ(0, vfio_set_iommu(self->container));
	EXPECT_EQ(-EINVAL, vfio_set_iommu(self->container));
	EXPECT_EQ(-EINVAL, vfio_set_iommu_type(self->container, 0));
	EXPECT_EQ(0, vfio_unset_container(self->group));
	EXPECT_EQ(-EINVAL, vfio_set_iommu(self->container));
}

static int extension(int container, long which)
{
	return call(container, VFIO_CHECK_EXTENSION, (void *)which);
}

TEST_F(abi, extensions)
{
	int step;

	for (step = 0; step < 3; step++) {
		EXPECT_EQ(1, extension(self->container, VFIO_TYPE1v2_IOMMU));
		EXPECT_EQ(0, extension(self->container, VFIO_NOIOMMU_IOMMU));
		EXPECT_EQ(0, extension(self->container, 0));
		EXPECT_EQ(0, extension(self->container, -1));
		if (step == 0)
			EXPECT_EQ(0, vfio_set_container(self->group,
							self->container));
		if (step == 1)
			EXPECT_EQ(0, vfio_set_iommu(self->container));
	}
}

/* Each call, on a descriptor that it is not for. */
TEST_F(abi, wrong_kind_of_descriptor)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int device, file, closed;

	device = own(self);
	ASSERT_LE(0, device);
	file = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, file);
	closed = dup(file);
	close(closed);

	EXPECT_EQ(-ENOTTY, call(self->container, VFIO_GROUP_GET_STATUS, &status));
	EXPECT_EQ(-ENOTTY, call(device, VFIO_GROUP_GET_STATUS, &status));
	EXPECT_EQ(-ENOTTY, call(file, VFIO_GROUP_GET_STATUS, &status));
	EXPECT_EQ(-EBADF, call(closed, VFIO_GROUP_GET_STATUS, &status));
	EXPECT_EQ(-ENOTTY, vfio_set_container(device, self->container));
	EXPECT_EQ(-ENOTTY, vfio_set_container(self->container, self->group));
	EXPECT_EQ(-EBADF, vfio_set_container(closed, self->container));
	EXPECT_EQ(-ENOTTY, vfio_unset_container(device));
	EXPECT_EQ(-ENOTTY, vfio_unset_container(self->container));
	EXPECT_EQ(-ENOTTY, vfio_open_device(device, self->scene.a));
	EXPECT_EQ(-ENOTTY, vfio_open_device(self->container, self->scene.a));
	EXPECT_EQ(-ENOTTY, vfio_set_iommu(self->group));
	EXPECT_EQ(-ENOTTY, vfio_set_iommu(device));
	EXPECT_EQ(-EBADF, vfio_set_iommu(closed));
	EXPECT_EQ(-ENOTTY, call(self->group, VFIO_CHECK_EXTENSION, NULL));
	EXPECT_EQ(-ENOTTY, call(self->group, VFIO_BASE + 99, NULL));
	EXPECT_EQ(OWNED, flags_of(self->group));
	close(device);
	EXPECT_EQ(0, vfio_unset_container(self->group));
	close(file);
}

/* A container without an IOMMU does not know any other call. */
TEST_F(abi, container_too_early)
{
	EXPECT_EQ(-EINVAL, vfio_map(self->container, self->edge, 0, 4096));
	EXPECT_EQ(-EINVAL, vfio_unset_container(self->container));
	ASSERT_EQ(0, vfio_set_container(self->group, self->container));
	EXPECT_EQ(-EINVAL, vfio_map(self->container, self->edge, 0, 4096));
	EXPECT_EQ(OWNED, flags_of(self->group));
}

/* A group has one file, as long as anything of it is open. */
TEST_F(abi, group_opened_twice)
{
	int id = self->scene.group->id;
	int device;

	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	device = own(self);
	ASSERT_LE(0, device);
	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	close(self->group);
	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	close(device);
	self->group = vfio_open_group(id);
	EXPECT_LE(0, self->group);
	EXPECT_EQ(FREE, flags_of(self->group));
}

/* The container lives on in its groups. */
TEST_F(abi, container_closed_first)
{
	int device;

	device = own(self);
	ASSERT_LE(0, device);
	close(self->container);
	EXPECT_EQ(OWNED, flags_of(self->group));
	close(device);
	device = vfio_open_device(self->group, self->scene.a);
	EXPECT_LE(0, device);
	close(device);
	EXPECT_EQ(0, vfio_unset_container(self->group));
	self->container = vfio_open_container();
	EXPECT_EQ(0, vfio_set_container(self->group, self->container));
}

TEST_F(abi, two_groups_in_a_container)
{
	struct scene *other = &self->other;
	int device;

	device = own(self);
	ASSERT_LE(0, device);
	other->user.group = vfio_open_group(other->group->id);
	ASSERT_LE(0, other->user.group);
	EXPECT_EQ(FREE, flags_of(other->user.group));
	ASSERT_EQ(0, vfio_set_container(other->user.group, self->container));
	EXPECT_EQ(-ENODEV, vfio_open_device(self->group, other->a));
	EXPECT_EQ(-ENODEV, vfio_open_device(other->user.group, self->scene.a));
	EXPECT_EQ(-EBUSY, vfio_unset_container(self->group));
	EXPECT_EQ(0, vfio_unset_container(other->user.group));
	EXPECT_EQ(OWNED, flags_of(self->group));
	EXPECT_EQ(FREE, flags_of(other->user.group));

	ASSERT_EQ(0, vfio_set_container(other->user.group, self->container));
	other->user.device = vfio_open_device(other->user.group, other->a);
	ASSERT_LE(0, other->user.device);
	close(device);
	EXPECT_EQ(0, vfio_unset_container(self->group));
	EXPECT_EQ(OWNED, flags_of(other->user.group));
	EXPECT_EQ(0, edu_answers(&other->user));
}

/* A copy of a descriptor is as good as the first. */
TEST_F(abi, duplicated_descriptor)
{
	int id = self->scene.group->id;
	int copy;

	copy = dup(self->group);
	ASSERT_LE(0, copy);
	ASSERT_EQ(0, vfio_set_container(copy, self->container));
	close(self->group);
	EXPECT_EQ(OWNED, flags_of(copy));
	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	close(copy);
	self->group = vfio_open_group(id);
	EXPECT_LE(0, self->group);
}

/* Close everything that makes the group owned. */
static void disown(FIXTURE_DATA(abi) *self, int device)
{
	close(device);
	close(self->group);
	close(self->container);
}

/* A child inherits ownership, and is the last to let go of it. */
TEST_F(abi, inherited_descriptor)
{
	int id = self->scene.group->id;
	int device, pipe_fds[2];
	pid_t pid;
	char byte;

	device = own(self);
	ASSERT_LE(0, device);
	ASSERT_EQ(0, pipe(pipe_fds));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(pipe_fds[1]);
		_exit(read(pipe_fds[0], &byte, 1));
	}
	disown(self, device);
	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	close(pipe_fds[1]);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	self->group = vfio_open_group(id);
	EXPECT_LE(0, self->group);
	EXPECT_EQ(FREE, flags_of(self->group));
}

static int send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = {}, byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&msg);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

/* On its way to somebody else, the group is owned as well. */
TEST_F(abi, passed_descriptor)
{
	int id = self->scene.group->id;
	int device, socks[2];

	device = own(self);
	ASSERT_LE(0, device);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	ASSERT_EQ(0, send_fd(socks[0], self->group));
	disown(self, device);
	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	close(socks[0]);
	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	close(socks[1]);
	self->group = vfio_open_group(id);
	EXPECT_LE(0, self->group);
	EXPECT_EQ(FREE, flags_of(self->group));
}

/* Everything above that is wrong on a free group, or on an owned one. */
static int misuse(FIXTURE_DATA(abi) *self)
{
	int good = 0;

	good += !call(self->group, VFIO_GROUP_GET_STATUS, NULL);
	good += !call(self->group, VFIO_GROUP_SET_CONTAINER, NULL);
	good += !vfio_set_container(self->group, -1);
	good += !vfio_set_container(self->group, INT_MAX);
	good += !vfio_set_container(self->group, self->group);
	good += !vfio_set_container(self->container, self->group);
	good += !vfio_unset_container(self->container);
	good += !vfio_set_iommu(self->group);
	good += !vfio_set_iommu_type(self->container, 0);
	good += vfio_open_device(self->group, NULL) >= 0;
	good += vfio_open_device(self->group, "") >= 0;
	good += vfio_open_device(self->group, self->scene.b) >= 0;
	good += vfio_open_device(self->group, self->other.a) >= 0;
	good += vfio_open_group(self->scene.group->id) >= 0;
	return good;
}

/* None of it keeps a driver from the group. */
TEST_F(abi, misuse_claims_nothing)
{
	EXPECT_EQ(0, misuse(self));
	EXPECT_EQ(-EINVAL, vfio_unset_container(self->group));
	EXPECT_EQ(0, pci_bind(self->scene.b, "e1000"));
	EXPECT_EQ(0, pci_unbind(self->scene.b));
	EXPECT_EQ(FREE, flags_of(self->group));
}

/* A thread that puts the group into a container of its own, at a signal. */
struct racer {
	pthread_t thread;
	pthread_barrier_t *start;
	int container;
	int group;
	int ret;
};

static void *racer_run(void *data)
{
	struct racer *racer = data;

	pthread_barrier_wait(racer->start);
	racer->ret = vfio_set_container(racer->group, racer->container);
	return NULL;
}

/* How many of the racers win, if the others lose as they should; or -errno. */
static int race(struct racer *racers, pthread_barrier_t *start)
{
	int i, wins = 0, ret = 0;

	for (i = 0; i < THREADS; i++) {
		racers[i].start = start;
		if (pthread_create(&racers[i].thread, NULL, racer_run, &racers[i]))
			return -EAGAIN;
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(racers[i].thread, NULL);
		wins += !racers[i].ret;
		if (racers[i].ret && racers[i].ret != -EINVAL)
			ret = racers[i].ret;
	}
	return ret ? ret : wins;
}

/*
 * One of many claims at a time wins. It takes longest to join a container that
 * has an IOMMU already: then the others come in between, if they can.
 */
TEST_F(abi, concurrent_claims)
{
	struct scene *other = &self->other;
	struct racer racers[THREADS];
	pthread_barrier_t start;
	int i, round;

	ASSERT_EQ(0, pthread_barrier_init(&start, NULL, THREADS));
	ASSERT_EQ(0, vfio_user_claim(&other->user, other->group->id));
	ASSERT_EQ(0, vfio_set_iommu(other->user.container));
	for (i = 0; i < THREADS; i++) {
		racers[i].group = self->group;
		racers[i].container = i ? vfio_open_container() :
					  dup(other->user.container);
		ASSERT_LE(0, racers[i].container);
	}
	for (round = 0; round < CLAIMS; round++) {
		ASSERT_EQ(1, race(racers, &start));
		ASSERT_EQ(OWNED, flags_of(self->group));
		ASSERT_EQ(0, vfio_unset_container(self->group));
	}
	for (i = 0; i < THREADS; i++)
		close(racers[i].container);
}

/* A thread that opens and closes A, whether there is a container or not. */
struct opener {
	pthread_t thread;
	const char *bdf;
	int group;
	bool stop;
	int opened;
	int error;
};

static void *opener_run(void *data)
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
static int unset_at_last(int group)
{
	int ret;

	do {
		ret = vfio_unset_container(group);
	} while (ret == -EBUSY);
	return ret;
}

/* An open and an unset at a time: one of the two is too late. */
TEST_F(abi, concurrent_use)
{
	struct opener opener = {
		.bdf = self->scene.a,
		.group = self->group,
	};
	int round;

	ASSERT_EQ(0, pthread_create(&opener.thread, NULL, opener_run, &opener));
	for (round = 0; round < UNSETS; round++) {
		EXPECT_EQ(0, vfio_set_container(self->group, self->container));
		EXPECT_EQ(0, vfio_set_iommu(self->container));
		usleep(1000);
		EXPECT_EQ(0, unset_at_last(self->group));
	}
	__atomic_store_n(&opener.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(opener.thread, NULL));
	EXPECT_EQ(0, opener.error);
	EXPECT_LT(0, opener.opened);
}

/* Who misuses an owned group does not lose it, nor who misuses another one. */
TEST_F(abi, misuse_keeps_owner)
{
	struct scene *scene = &self->scene;
	int device;

	device = own(self);
	ASSERT_LE(0, device);
	EXPECT_EQ(0, misuse(self));
	EXPECT_EQ(-EBUSY, pci_bind(scene->b, "e1000"));
	EXPECT_EQ(-EBUSY, vfio_unset_container(self->group));
	close(device);
	EXPECT_EQ(0, misuse(self));
	EXPECT_EQ(-EBUSY, pci_bind(scene->b, "e1000"));
	EXPECT_EQ(0, pci_bind(self->other.b, "e1000"));
	EXPECT_EQ(0, vfio_unset_container(self->group));
	EXPECT_EQ(0, pci_bind(scene->b, "e1000"));
	EXPECT_EQ(0, misuse(self));
	EXPECT_EQ(-EPERM, vfio_set_container(self->group, self->container));
	EXPECT_EQ(0, flags_of(self->group));
	EXPECT_EQ(0, pci_unbind(scene->b));
}

TEST_HARNESS_MAIN
